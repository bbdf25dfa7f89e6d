"""Makes MiniStack stand in for an AWS account into which the stack is deployed: CloudFormation knows every resource type of the
stack, and each call is judged by the policies of its caller and of the resource (MiniStack's own setting AUTH).

`npm run test:deploy` needs it. The local cloud does not: it creates the resources itself, and judges calls at its own endpoint.
"""

import os

# MiniStack judges these two against no resource and without the tags of an instance, so it denies them to every policy that names
# either, as AWS does not. The caller must exist and may look at instances. lib/local/access judges these calls as AWS does.
JUDGED_AS_A_LOOK = ("ec2:CreateFleet", "ec2:TerminateInstances")


def prepare():
    """Must be called before MiniStack is imported, because it reads the setting then."""
    os.environ["AUTH"] = "true"


def account(app):
    """Returns the application of an account. `prepare` must have been called before."""
    import cloudformation_types
    from ministack.core import iam_evaluator
    from ministack.services import lambda_svc, sts

    cloudformation_types.register()
    judge = iam_evaluator.enforce

    def enforce(access_key_id, iam_action, *rest, **named):
        return judge(access_key_id, "ec2:DescribeInstances" if iam_action in JUDGED_AS_A_LOOK else iam_action, *rest, **named)

    iam_evaluator.enforce = enforce
    lambda_svc._build_function_url_event = with_caller(lambda_svc._build_function_url_event, sts)

    async def over_tls(scope, receive, send):
        """Calls are taken to be encrypted. They never leave this machine, and buckets and queues deny all that are not."""
        await app({**scope, "scheme": "https"} if scope["type"] == "http" else scope, receive, send)

    return over_tls


def with_caller(build, sts):
    """Returns the builder of the events of function URLs with the caller in them, whom MiniStack has judged but leaves out."""

    def event(url_id, account_id, region, method, path, headers, body, query_params, *rest, **named):
        built = build(url_id, account_id, region, method, path, headers, body, query_params, *rest, **named)
        caller = sts._caller_identity(headers, query_params)
        built["requestContext"]["authorizer"] = {"iam": {name: caller[name] for name in ("accountId", "userArn", "userId")}}
        return built

    return event
