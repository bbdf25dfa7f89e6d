"""Teaches MiniStack's CloudFormation the resource types of the stack that it lacks.

MiniStack has the EC2 calls behind each of these types. A handler translates a template's properties into such a call, so that
EC2 describes what CloudFormation has created. MiniStack looks up the handlers of a type in one dictionary: `create` returns the
physical id and the attributes for Fn::GetAtt, `delete` gets the physical id and the properties. A type without `update` is
replaced when a property changes, which is what AWS does with a flow log, too.

`npm run test:deploy` deploys with them. Delete a type here when a release of MiniStack has it.
"""

import re

ACCEPTED = 200


def register():
    """Adds the handlers. Fails if MiniStack has a type by now, because its own handlers should be used then."""
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    for name, handlers in TYPES.items():
        if name in _RESOURCE_HANDLERS:
            raise RuntimeError(f"MiniStack supports {name} by now. Remove it from {__file__}.")
        _RESOURCE_HANDLERS[name] = handlers


def call(action, parameters):
    """Calls MiniStack's EC2 as the API does, with the parameters of EC2's query protocol. Returns the response's text."""
    from ministack.services import ec2

    given = {name: [str(value)] for name, value in parameters.items() if value is not None}
    status, _, body = ec2._ACTION_MAP[action](given)
    text = body.decode() if isinstance(body, bytes) else body
    if status != ACCEPTED:
        raise ValueError(f"EC2's {action} was refused: {text}")
    return text


def create_flow_log(logical_id, properties, stack_name):
    parameters = {
        "ResourceId.1": properties["ResourceId"],
        "ResourceType": properties["ResourceType"],
        "TrafficType": properties.get("TrafficType"),
        "LogDestinationType": properties.get("LogDestinationType"),
        "LogDestination": properties.get("LogDestination"),
        "LogGroupName": properties.get("LogGroupName"),
        # AWS calls it vpc-flow-log. MiniStack does not.
        "TagSpecification.1.ResourceType": "flow-log",
    }
    for number, tag in enumerate(properties.get("Tags", []), 1):
        parameters[f"TagSpecification.1.Tag.{number}.Key"] = tag["Key"]
        parameters[f"TagSpecification.1.Tag.{number}.Value"] = tag["Value"]
    physical_id = re.search(r"<item>(fl-[^<]+)</item>", call("CreateFlowLogs", parameters)).group(1)
    return physical_id, {"Id": physical_id}


def delete_flow_log(physical_id, properties):
    call("DeleteFlowLogs", {"FlowLogId.1": physical_id})


def rule(properties, other_group):
    """Returns a rule of a security group as the calls take it. `other_group` is the property that names the peer's group."""
    peer = properties.get(other_group)
    return {
        "GroupId": properties["GroupId"],
        "IpPermissions.1.IpProtocol": properties["IpProtocol"],
        "IpPermissions.1.FromPort": properties.get("FromPort"),
        "IpPermissions.1.ToPort": properties.get("ToPort"),
        "IpPermissions.1.IpRanges.1.CidrIp": properties.get("CidrIp"),
        "IpPermissions.1.Ipv6Ranges.1.CidrIpv6": properties.get("CidrIpv6"),
        "IpPermissions.1.Groups.1.GroupId": peer,
        "IpPermissions.1.Groups.1.Description": properties.get("Description") if peer else None,
    }


def rule_type(direction, other_group):
    """Returns the handlers of AWS::EC2::SecurityGroupIngress or AWS::EC2::SecurityGroupEgress."""

    def create(logical_id, properties, stack_name):
        response = call(f"AuthorizeSecurityGroup{direction}", rule(properties, other_group))
        physical_id = re.search(r"<securityGroupRuleId>([^<]+)</securityGroupRuleId>", response).group(1)
        return physical_id, {"Id": physical_id}

    def delete(physical_id, properties):
        call(f"RevokeSecurityGroup{direction}", {"GroupId": properties["GroupId"], "SecurityGroupRuleId.1": physical_id})

    return {"create": create, "delete": delete}


TYPES = {
    "AWS::EC2::FlowLog": {"create": create_flow_log, "delete": delete_flow_log},
    "AWS::EC2::SecurityGroupIngress": rule_type("Ingress", "SourceSecurityGroupId"),
    "AWS::EC2::SecurityGroupEgress": rule_type("Egress", "DestinationSecurityGroupId"),
}
