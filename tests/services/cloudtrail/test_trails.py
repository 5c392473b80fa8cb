from __future__ import annotations

import json
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.live_server import LiveServer
from tests.services.cloudtrail.conftest import ACCOUNT, Trails, refused


def name() -> str:
    return f"trail-{uuid4().hex[:12]}"


def test_a_trail_from_beginning_to_end(fresh_trails: Trails) -> None:
    trails = fresh_trails
    cloudtrail, bucket = trails.cloudtrail, trails.bucket
    trails.allow(prefix="logs")
    made = cloudtrail.create_trail(
        Name="my-trail",
        S3BucketName=bucket,
        S3KeyPrefix="logs",
        TagsList=[{"Key": "Team", "Value": "Red"}],
    )
    made.pop("ResponseMetadata")
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/my-trail"
    settings = {
        "Name": "my-trail",
        "S3BucketName": bucket,
        "S3KeyPrefix": "logs",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "TrailARN": arn,
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": False,
        "RecursiveLogging": True,
    }
    assert made == settings
    described = {
        **settings,
        "HomeRegion": "us-east-1",
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
    }
    assert cloudtrail.get_trail(Name="my-trail")["Trail"] == described
    assert cloudtrail.get_trail(Name=arn)["Trail"] == described
    assert cloudtrail.describe_trails()["trailList"] == [described]
    listed = {"TrailARN": arn, "Name": "my-trail", "HomeRegion": "us-east-1"}
    assert cloudtrail.list_trails()["Trails"] == [listed]

    trails.allow()
    cloudtrail.update_trail(Name=arn, S3KeyPrefix="", IsMultiRegionTrail=True)
    changed = cloudtrail.get_trail(Name="my-trail")["Trail"]
    assert changed["IsMultiRegionTrail"] is True
    assert "S3KeyPrefix" not in changed
    cloudtrail.delete_trail(Name="my-trail")
    message = refused("TrailNotFoundException", cloudtrail.get_trail, Name="my-trail")
    assert message == f"Unknown trail: {arn} for the user: {ACCOUNT}"
    assert cloudtrail.describe_trails(trailNameList=["my-trail"])["trailList"] == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("ab", "too short"),
        ("a" * 129, "too long"),
        ("-trail", "starts with a letter or number"),
        ("trail-", "ends with a letter or number"),
        ("my trail", "can only contain"),
        ("my--trail", "adjacent"),
        ("192.168.5.4", "IP address"),
    ],
)
def test_names_that_are_refused(trails: Trails, bad: str, message: str) -> None:
    cloudtrail = trails.cloudtrail
    bucket = trails.bucket
    told = refused(
        "InvalidTrailNameException", cloudtrail.create_trail, Name=bad, S3BucketName=bucket
    )
    assert message in told


def test_arns_that_are_refused(trails: Trails) -> None:
    for arn in ("arn:aws:s3:::bucket", f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:channel/x"):
        refused("CloudTrailARNInvalidException", trails.cloudtrail.get_trail, Name=arn)
    other = "arn:aws:cloudtrail:us-east-1:111111111111:trail/my-trail"
    refused("AccessDeniedException", trails.cloudtrail.get_trail, Name=other)


def test_a_deny_on_a_trail_cannot_be_evaded(trails: Trails) -> None:
    arn = trails.create()
    iam, name = trails.server.client("iam"), f"user-{uuid4().hex[:12]}"
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudtrail:*", "Resource": arn},
    ]
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name,
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    cloudtrail = trails.server.client("cloudtrail", key)
    refused("AccessDeniedException", cloudtrail.stop_logging, Name=arn)
    refused("AccessDeniedException", cloudtrail.stop_logging, Name=arn.rpartition("/")[2])
    for alias in (
        arn.replace("arn:aws:", "arn:aws-cn:"),
        arn.replace(":trail/", ":trail:"),
        arn.replace(":trail/", ":trail//"),
    ):
        with pytest.raises(ClientError):
            cloudtrail.stop_logging(Name=alias)
        with pytest.raises(ClientError):
            cloudtrail.add_tags(ResourceId=alias, TagsList=[{"Key": "a", "Value": "b"}])
    assert trails.cloudtrail.get_trail_status(Name=arn)["IsLogging"]
    assert trails.cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"] == []


def test_the_bucket_must_be_there_and_let_cloudtrail_in(trails: Trails) -> None:
    create, bucket = trails.cloudtrail.create_trail, trails.bucket
    missing = f"missing-{uuid4().hex}"
    told = refused("S3BucketDoesNotExistException", create, Name=name(), S3BucketName=missing)
    assert told == f"S3 bucket {missing} does not exist!"
    refused("InvalidS3BucketNameException", create, Name=name(), S3BucketName="No")
    long = "p" * 201
    refused("InvalidS3PrefixException", create, Name=name(), S3BucketName=bucket, S3KeyPrefix=long)
    refused(
        "InsufficientS3BucketPolicyException",
        create,
        Name=name(),
        S3BucketName=bucket,
        S3KeyPrefix="elsewhere",
    )
    trails.s3.delete_bucket_policy(Bucket=bucket)
    told = refused("InsufficientS3BucketPolicyException", create, Name=name(), S3BucketName=bucket)
    assert told == f"Incorrect S3 bucket policy is detected for bucket: {bucket}"


def test_the_bucket_may_let_in_one_trail_alone(trails: Trails) -> None:
    one = name()
    trails.allow(source_arn=f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/{one}")
    trails.create(one, is_logging=False)
    refused(
        "InsufficientS3BucketPolicyException",
        trails.cloudtrail.create_trail,
        Name=name(),
        S3BucketName=trails.bucket,
    )
    trails.cloudtrail.delete_trail(Name=one)


@pytest.mark.parametrize(
    "settings",
    [
        {"SnsTopicName": "topic"},
        {"EnableLogFileValidation": True},
        {"KmsKeyId": "alias/key"},
        {"CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:g:*"},
    ],
)
def test_what_is_not_honoured_is_refused(trails: Trails, settings: dict[str, object]) -> None:
    told = refused(
        "NotImplementedException",
        trails.cloudtrail.create_trail,
        Name=name(),
        S3BucketName=trails.bucket,
        **settings,
    )
    assert next(iter(settings)) in told


def test_there_are_no_organizations(trails: Trails) -> None:
    refused(
        "OrganizationsNotInUseException",
        trails.cloudtrail.create_trail,
        Name=name(),
        S3BucketName=trails.bucket,
        IsOrganizationTrail=True,
    )


def test_names_are_taken_and_five_are_enough(fresh_trails: Trails) -> None:
    trails = fresh_trails
    for number in range(5):
        trails.create(f"trail-{number}", is_logging=False)
    create, bucket = trails.cloudtrail.create_trail, trails.bucket
    told = refused("TrailAlreadyExistsException", create, Name="trail-1", S3BucketName=bucket)
    assert told == f"Trail trail-1 already exists for customer: {ACCOUNT}"
    code = "MaximumNumberOfTrailsExceededException"
    told = refused(code, create, Name="trail-5", S3BucketName=bucket)
    assert told == f"User: {ACCOUNT} already has 5 trails in us-east-1."


def test_trails_of_other_regions(fresh_trails: Trails, fresh_server: LiveServer) -> None:
    trails = fresh_trails
    multi = trails.create("multi", is_logging=False, IsMultiRegionTrail=True)
    trails.create("single", is_logging=False)
    elsewhere = fresh_server.client("cloudtrail", region_name="eu-west-1")
    shadows = elsewhere.describe_trails()["trailList"]
    assert [trail["TrailARN"] for trail in shadows] == [multi]
    assert elsewhere.describe_trails(trailNameList=["multi"])["trailList"] == shadows
    assert elsewhere.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert len(elsewhere.list_trails()["Trails"]) == 2
    refused("TrailNotFoundException", elsewhere.start_logging, Name="multi")
    refused("InvalidHomeRegionException", elsewhere.start_logging, Name=multi)
    refused("InvalidHomeRegionException", elsewhere.delete_trail, Name=multi)
    told = refused(
        "InvalidParameterCombinationException",
        trails.cloudtrail.update_trail,
        Name="multi",
        IncludeGlobalServiceEvents=False,
    )
    assert told == "Multi-Region trail must include global service events."


def test_tags(trails: Trails) -> None:
    cloudtrail = trails.cloudtrail
    arn = trails.create(is_logging=False)

    def tags() -> dict[str, str]:
        found = cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]
        assert found["ResourceId"] == arn
        return {tag["Key"]: tag.get("Value", "") for tag in found["TagsList"]}

    def pairs(**tags: str) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    cloudtrail.add_tags(ResourceId=arn, TagsList=pairs(a="1", b="2"))
    cloudtrail.add_tags(ResourceId=arn, TagsList=[*pairs(b="3"), {"Key": "c"}])
    assert tags() == {"a": "1", "b": "3", "c": ""}
    cloudtrail.remove_tags(ResourceId=arn, TagsList=[{"Key": "a"}, {"Key": "b", "Value": "9"}])
    assert tags() == {"b": "3", "c": ""}
    many = pairs(**{f"k{number}": "v" for number in range(49)})
    refused("TagsLimitExceededException", cloudtrail.add_tags, ResourceId=arn, TagsList=many)
    twice = [{"Key": "a"}, {"Key": "a"}]
    refused("InvalidTagParameterException", cloudtrail.add_tags, ResourceId=arn, TagsList=twice)
    refused("CloudTrailARNInvalidException", cloudtrail.add_tags, ResourceId="x", TagsList=twice)
    missing = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/missing"
    refused("ResourceNotFoundException", cloudtrail.list_tags, ResourceIdList=[missing])
    cloudtrail.delete_trail(Name=arn)


def test_insights_are_off(trails: Trails) -> None:
    cloudtrail = trails.cloudtrail
    arn = trails.create(is_logging=False)
    refused("InsightNotEnabledException", cloudtrail.get_insight_selectors, TrailName=arn)
    off = cloudtrail.put_insight_selectors(TrailName=arn, InsightSelectors=[])
    assert off["InsightSelectors"] == []
    wanted = [{"InsightType": "ApiCallRateInsight"}]
    refused(
        "NotImplementedException",
        cloudtrail.put_insight_selectors,
        TrailName=arn,
        InsightSelectors=wanted,
    )
    cloudtrail.delete_trail(Name=arn)
