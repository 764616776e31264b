"""The stream of a table, read on from where one began."""

from typing import Any

from .cloud import Cloud


class Stream:
    """What is written to a table from now on. The table has a stream already."""

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
        """Take the records that are new, as botocore has them."""
        records: list[dict[str, Any]] = []
        for index, iterator in enumerate(self._iterators):
            answer = self._streams.get_records(ShardIterator=iterator)
            self._iterators[index] = answer["NextShardIterator"]
            records += answer["Records"]
        return records
