"""A table's stream, read from now on."""

from typing import Any

from .cloud import Cloud


class Stream:
    """The writes to a table from now on. The table must have a stream."""

    def __init__(self, cloud: Cloud, table: str) -> None:
        self._streams = cloud.streams
        arn = cloud.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        shards = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._iterators: list[str] = [
            self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")[
                "ShardIterator"
            ]
            for shard in shards
        ]

    def new(self) -> list[dict[str, Any]]:
        """Take the new records, in botocore's form."""
        records: list[dict[str, Any]] = []
        for index, iterator in enumerate(self._iterators):
            answer = self._streams.get_records(ShardIterator=iterator)
            self._iterators[index] = answer["NextShardIterator"]
            records += answer["Records"]
        return records
