"""A deployed stack as AWS shows it to the account's owner."""

import json
import re
from typing import Any

import boto3
from postern_mail.aws.watch.state import PARTITION

from emulator.account import ACCOUNT, REGION

STACK = "postern"  # as samconfig.toml has it

# Lists of what a stack makes: service, call, where the list is in the answer, and what an entry is called.
KINDS = (
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"),
    ("events", "list_rules", "Rules", "Name"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("ses", "list_receipt_rule_sets", "RuleSets", "Name"),
    ("sesv2", "list_email_identities", "EmailIdentities", "IdentityName"),
    ("sesv2", "list_configuration_sets", "ConfigurationSets", ""),
)
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class Deployed:
    """The stack at `endpoint`. Nothing here waits."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)

    def client(self, service: Any) -> Any:
        """A boto3 client, as the account's owner."""
        return self._session.client(service, endpoint_url=self._endpoint)

    @property
    def s3(self) -> Any:
        """A client, also for the S3 action of the receiving double."""
        return self.client("s3")

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def make_zone(self, domain: str) -> str:
        """A hosted zone, which is no part of the stack; returns its id."""
        made = self.client("route53").create_hosted_zone(Name=domain, CallerReference=domain)
        return str(made["HostedZone"]["Id"]).rpartition("/")[2]

    def write(self, zone: str, name: str, type: str, value: str) -> None:
        """A record that someone wrote by hand."""
        one = {"Name": name, "Type": type, "TTL": 300, "ResourceRecords": [{"Value": value}]}
        changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": one}]}
        self.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)

    def adopt(self, domain: str) -> None:
        """An identity that someone made by hand."""
        self.client("sesv2").create_email_identity(EmailIdentity=domain)

    def identities(self) -> dict[str, str]:
        """Every identity, and the stack that made it, "" if none did."""
        client = self.client("sesv2")
        names = [one["IdentityName"] for one in client.list_email_identities()["EmailIdentities"]]
        tags = {name: client.get_email_identity(EmailIdentity=name).get("Tags", []) for name in names}
        return {name: "".join(tag["Value"] for tag in found) for name, found in tags.items()}

    def records(self, zone: str) -> list[tuple[str, str]]:
        """Type and first value of the records in a zone, without those that each zone has."""
        found = self.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        values = [(one["Type"], one["ResourceRecords"][0]["Value"]) for one in found]
        return sorted(value for value in values if value[0] not in ("NS", "SOA"))

    def ledger(self, message_id: str) -> dict[str, dict[str, Any]]:
        """The ledger's entries of a message, by their sort key."""
        table = self._table("ledger")
        rows = table.query(KeyConditionExpression="message_id = :id", ExpressionAttributeValues={":id": message_id})
        return {str(row["entry"]): row for row in rows["Items"]}

    def health(self, destination: str) -> dict[str, Any]:
        """The row of a destination, empty without one."""
        row: dict[str, Any] = self._table("destinations").get_item(Key={"address": destination}).get("Item", {})
        return row

    def lose(self, message_id: str, lost: str) -> None:
        """Store this message once more under another id, which the check found hours later in no ledger."""
        bucket, row = self.outputs()["MailBucketName"], {"message_id": PARTITION, "entry": f"unseen:{lost}"}
        stored = self.s3.get_object(Bucket=bucket, Key=f"inbound/{message_id}")["Body"].read()
        again = stored.replace(message_id.encode(), lost.encode())  # SES writes the id into its trace field
        self.s3.put_object(Bucket=bucket, Key=f"inbound/{lost}", Body=again)
        self._table("ledger").put_item(Item={**row, "stored_at": 0})

    def taken(self) -> set[str]:
        """What the rules of the active set take."""
        rules = self.client("ses").describe_active_receipt_rule_set().get("Rules", ())
        return {recipient for rule in rules if rule["Enabled"] for recipient in rule["Recipients"]}

    def waiting(self, queue_url: str) -> int:
        """How many messages are on a queue."""
        found = self.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_COUNTS))
        return sum(int(found["Attributes"][count]) for count in _COUNTS)

    def given_up(self) -> list[str]:
        """What is on any queue but the one for retries: all of them are for what failed for good."""
        client = self.client("sqs")
        urls = [url for url in client.list_queues().get("QueueUrls", ()) if not url.endswith("-retry")]
        full = [url for url in urls if self.waiting(url)]
        read = [client.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages", ()) for url in full]
        return [f"{url}: {message['Body']}" for url, found in zip(full, read, strict=True) for message in found]

    def read_retries(self, wanted: bool) -> None:
        """Let the function read the retry queue, or not."""
        client = self.client("lambda")
        mappings = client.list_event_source_mappings()["EventSourceMappings"]
        (mapping,) = (one for one in mappings if one["EventSourceArn"].endswith("-retry"))
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=wanted)

    def retries(self) -> list[dict[str, Any]]:
        """What is on the retry queue; it stays there."""
        url = self.outputs()["RetryQueueUrl"]
        found = self.client("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages", ())
        return [json.loads(message["Body"]) for message in found]

    def roles(self) -> list[str]:
        """The logical ids of the roles that functions have."""
        names = [one["RoleName"] for one in self.client("iam").list_roles()["Roles"]]
        return [found[1] for name in names if (found := re.match(rf"{STACK}-(\w+FunctionRole)", name))]

    def acting(self, role: str) -> Any:
        """A client of DynamoDB with the rights of a role; the owner grants this role first."""
        iam, name = self.client("iam"), f"{STACK}-{role}"
        (arn,) = [one["Arn"] for one in iam.list_roles()["Roles"] if one["RoleName"].startswith(name)]
        name = arn.rpartition("/")[2]
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        mine = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        opened = {**trust, "Statement": [*trust["Statement"], mine]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(opened))
        key = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="gate")["Credentials"]
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        return boto3.client(
            "dynamodb",
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key["SessionToken"],
        )

    def log(self) -> list[str]:
        """The lines in the functions' log group."""
        events = self.client("logs").filter_log_events(logGroupName=f"/postern/{STACK}")["events"]
        return [event["message"].strip() for event in events]

    def measured(self, metric: str) -> list[float]:
        """The values of a metric, from the lines that CloudWatch makes metrics of (embedded metric format)."""
        lines = [json.loads(text) for text in self.log() if text.startswith("{")]
        values = [line[metric] for line in lines if "_aws" in line and metric in line]
        return [one for value in values for one in (value if isinstance(value, list) else [value])]

    def left(self) -> list[str]:
        """Everything there is that a stack may have made, except what `sam deploy` keeps for itself."""
        found = [f"table {name}" for name in sorted(self.client("dynamodb").list_tables()["TableNames"])]
        buckets = [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]
        found += [f"bucket {name}" for name in buckets if not name.startswith("aws-sam-cli")]
        keys = self.client("kms")
        about = [keys.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in keys.list_keys()["Keys"]]
        found += [f"key {key['Description']}" for key in about if key["KeyManager"] == "CUSTOMER"]
        for service, call, key, name in KINDS:
            page = getattr(self.client(service), call)()
            found += [f"{call} {one[name] if name else one}" for one in page.get(key, ())]
        return found

    def _table(self, name: str) -> Any:
        return self._session.resource("dynamodb", endpoint_url=self._endpoint).Table(f"{STACK}-{name}")
