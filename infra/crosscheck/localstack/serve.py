"""LocalStack without containers: python serve.py (see localstack.go, which sets the environment and starts it).

Its Lambda normally runs a function in a container. Here it hands every invocation to the local engine (DRAWBRIDGE_ENGINE,
loopback), which runs the compiled function; everything else is LocalStack as it is published. It ends when standard input
closes, so it never outlives who started it.
"""

import os
import sys
import threading

import localstack.constants

# The hub's functions come with session keys of the engine's. LocalStack reads no account in those and takes this one; it must
# be set before anything else is imported.
localstack.constants.DEFAULT_AWS_ACCOUNT_ID = os.environ["DRAWBRIDGE_HUB"]

import botocore.config
import botocore.session
from localstack.services.lambda_.invocation import runtime_executor
from localstack.services.lambda_.invocation.lambda_models import InvocationResult


def _client(account, region):
    session = botocore.session.Session()
    return session.create_client(
        "lambda",
        endpoint_url=os.environ["DRAWBRIDGE_ENGINE"],
        region_name=region,
        aws_access_key_id=account,  # to the engine, the access key id is the account
        aws_secret_access_key="local",
        # The function's own time limit ends it; the machine alone tries again.
        config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=900, max_pool_connections=64),
    )


class Engine(runtime_executor.RuntimeExecutor):
    """Runs one version of a function in the local engine."""

    def start(self, env_vars):
        self._lambda = _client(self.function_version.id.account, self.function_version.id.region)

    def invoke(self, payload):
        answer = self._lambda.invoke(
            FunctionName=self.function_version.id.function_name, Payload=payload["payload"].encode()
        )
        return InvocationResult(
            request_id=payload["invoke-id"],
            payload=answer["Payload"].read(),
            is_error="FunctionError" in answer,
            logs="",
            executed_version=self.function_version.id.qualifier,
        )

    def stop(self):
        pass

    def get_logs(self):
        return ""

    def get_address(self):
        return "127.0.0.1"

    get_endpoint_from_executor = get_address

    def get_runtime_endpoint(self):
        return os.environ["DRAWBRIDGE_ENGINE"]

    @classmethod
    def prepare_version(cls, function_version):
        pass

    @classmethod
    def cleanup_version(cls, function_version):
        pass


class Executors:
    """Stands for LocalStack's list of executors: there is one, whatever LAMBDA_RUNTIME_EXECUTOR says."""

    def exists(self, _name):
        return True

    def load(self, _name):
        return self.Plugin()

    class Plugin:
        def load(self):
            return Engine


def _end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # get_runtime_executor looks the executor up in this list every time.
    runtime_executor.EXECUTOR_PLUGIN_MANAGER = Executors()

    from localstack.runtime.main import main

    main()
