"""Prints as JSON what an account has: each kind of resource, by its name in CloudFormation, with the names or ids of all that there
are; and each stack with its resources. It asks each service, not CloudFormation, so that leftovers are seen, too.

AWS's SDK for Python is used because the emulators' Python has it, with the clients of all services.
"""

import json

import boto3
from botocore.exceptions import ClientError


def pages(client, operation, key, **parameters):
    """Returns the items of all pages of a list."""
    if not client.can_paginate(operation):
        return getattr(client, operation)(**parameters).get(key, [])
    return [item for page in client.get_paginator(operation).paginate(**parameters) for item in page.get(key, [])]


def exists(code, call, **parameters):
    """Returns a call's response, or None if it fails with this code, which says that there is no such thing."""
    try:
        return call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return None


def compute():
    ec2, functions = boto3.client("ec2"), boto3.client("lambda")
    names = [each["FunctionName"] for each in pages(functions, "list_functions", "Functions")]
    tables = pages(ec2, "describe_route_tables", "RouteTables")
    groups = pages(ec2, "describe_security_groups", "SecurityGroups")
    gateways = pages(ec2, "describe_internet_gateways", "InternetGateways")
    rules = pages(ec2, "describe_security_group_rules", "SecurityGroupRules")
    # A rule for all traffic to everywhere is what a new group begins with.
    rules = [rule for rule in rules if rule.get("ReferencedGroupInfo")]
    instances = [each for found in pages(ec2, "describe_instances", "Reservations") for each in found["Instances"]]
    living = [each["InstanceId"] for each in instances if each["State"]["Name"] not in ("shutting-down", "terminated")]

    def is_left(volume):
        """AWS deletes a volume with its instance if it was asked to. MiniStack does not."""
        return not any(each["DeleteOnTermination"] and each["InstanceId"] not in living for each in volume["Attachments"])

    def policies(name):
        found = exists("ResourceNotFoundException", functions.get_policy, FunctionName=name)
        return json.loads(found["Policy"])["Statement"] if found else []

    return {
        "AWS::Lambda::Function": names,
        "AWS::Lambda::EventSourceMapping": [each["UUID"] for each in pages(functions, "list_event_source_mappings", "EventSourceMappings")],
        "AWS::Lambda::Url": [
            name for name in names if exists("ResourceNotFoundException", functions.get_function_url_config, FunctionName=name)
        ],
        "AWS::Lambda::EventInvokeConfig": [
            each["FunctionArn"]
            for name in names
            for each in pages(functions, "list_function_event_invoke_configs", "FunctionEventInvokeConfigs", FunctionName=name)
        ],
        "AWS::Lambda::Permission": [f"{name} {each['Sid']}" for name in names for each in policies(name)],
        "AWS::EC2::VPC": [each["VpcId"] for each in pages(ec2, "describe_vpcs", "Vpcs")],
        "AWS::EC2::Subnet": [each["SubnetId"] for each in pages(ec2, "describe_subnets", "Subnets")],
        "AWS::EC2::RouteTable": [
            each["RouteTableId"] for each in tables if not any(one.get("Main") for one in each.get("Associations", []))
        ],
        "AWS::EC2::Route": [
            f"{each['RouteTableId']} {route['DestinationCidrBlock']}"
            for each in tables
            for route in each["Routes"]
            if route.get("GatewayId", "").startswith("igw-")
        ],
        "AWS::EC2::SubnetRouteTableAssociation": [
            one["RouteTableAssociationId"] for each in tables for one in each.get("Associations", []) if one.get("SubnetId")
        ],
        "AWS::EC2::InternetGateway": [each["InternetGatewayId"] for each in gateways],
        "AWS::EC2::VPCGatewayAttachment": [each["InternetGatewayId"] for each in gateways if each.get("Attachments")],
        "AWS::EC2::VPCEndpoint": [each["VpcEndpointId"] for each in pages(ec2, "describe_vpc_endpoints", "VpcEndpoints")],
        "AWS::EC2::FlowLog": [each["FlowLogId"] for each in pages(ec2, "describe_flow_logs", "FlowLogs")],
        # Each VPC has a group of this name.
        "AWS::EC2::SecurityGroup": [each["GroupId"] for each in groups if each["GroupName"] != "default"],
        "AWS::EC2::SecurityGroupIngress": [each["SecurityGroupRuleId"] for each in rules if not each["IsEgress"]],
        "AWS::EC2::SecurityGroupEgress": [each["SecurityGroupRuleId"] for each in rules if each["IsEgress"]],
        "AWS::EC2::LaunchTemplate": [each["LaunchTemplateId"] for each in pages(ec2, "describe_launch_templates", "LaunchTemplates")],
        "AWS::EC2::Instance": living,
        "AWS::EC2::Volume": [each["VolumeId"] for each in pages(ec2, "describe_volumes", "Volumes") if is_left(each)],
    }


def storage():
    s3, sqs, kms = boto3.client("s3"), boto3.client("sqs"), boto3.client("kms")
    buckets = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    queues = pages(sqs, "list_queues", "QueueUrls")
    keys = [kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in pages(kms, "list_keys", "Keys")]
    return {
        "AWS::DynamoDB::Table": pages(boto3.client("dynamodb"), "list_tables", "TableNames"),
        "AWS::S3::Bucket": buckets,
        "AWS::S3::BucketPolicy": [name for name in buckets if exists("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=name)],
        "AWS::SQS::Queue": [url.rsplit("/", 1)[1] for url in queues],
        "AWS::SQS::QueuePolicy": [
            url.rsplit("/", 1)[1]
            for url in queues
            if sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {}).get("Policy")
        ],
        "AWS::KMS::Key": [each["KeyId"] for each in keys if each["KeyState"] == "Enabled"],
        "AWS::KMS::Alias": [each["AliasName"] for each in pages(kms, "list_aliases", "Aliases") if "TargetKeyId" in each],
    }


def others():
    iam = boto3.client("iam")
    roles = [each["RoleName"] for each in pages(iam, "list_roles", "Roles")]
    return {
        "AWS::CloudWatch::Alarm": [each["AlarmName"] for each in pages(boto3.client("cloudwatch"), "describe_alarms", "MetricAlarms")],
        "AWS::Events::Rule": [each["Name"] for each in pages(boto3.client("events"), "list_rules", "Rules")],
        "AWS::IAM::InstanceProfile": [
            each["InstanceProfileName"] for each in pages(iam, "list_instance_profiles", "InstanceProfiles")
        ],
        "AWS::IAM::Policy": [
            f"{role} {name}" for role in roles for name in pages(iam, "list_role_policies", "PolicyNames", RoleName=role)
        ],
        "AWS::IAM::Role": roles,
        "AWS::Logs::LogGroup": [each["logGroupName"] for each in pages(boto3.client("logs"), "describe_log_groups", "logGroups")],
        "AWS::Scheduler::Schedule": [each["Name"] for each in pages(boto3.client("scheduler"), "list_schedules", "Schedules")],
        "AWS::SSM::Parameter": [each["Name"] for each in pages(boto3.client("ssm"), "describe_parameters", "Parameters")],
    }


def stacks():
    cloudformation = boto3.client("cloudformation")
    return {
        stack["StackName"]: {
            "status": stack["StackStatus"],
            "resources": [
                {
                    "logicalId": each["LogicalResourceId"],
                    "type": each["ResourceType"],
                    "physicalId": each.get("PhysicalResourceId", ""),
                    "status": each["ResourceStatus"],
                }
                for each in pages(cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=stack["StackName"])
            ],
        }
        for stack in pages(cloudformation, "describe_stacks", "Stacks")
    }


print(json.dumps({"resources": {**compute(), **storage(), **others()}, "stacks": stacks()}))
