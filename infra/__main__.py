"""`python -m infra COMMAND`: what `./deploy.sh COMMAND` runs once the environment is there."""

import importlib
import sys

COMMANDS = {
    "local": "infra.local.run",
    "emulators": "infra.local.emulators",
    "test": "infra.checks",
    "build": "functions.build",
    "init": "infra.commands.init",
    "deploy-pipeline": "infra.commands.deploy_pipeline",
    "drop": "infra.commands.drop",
    "status": "infra.commands.status",
    "accuracy": "infra.commands.accuracy",
    "loads": "infra.commands.loads",
    "report": "infra.commands.report",
    "quarantine": "infra.commands.quarantine",
    "train": "infra.commands.train",
    "decisions": "infra.commands.decisions",
    "models": "infra.commands.models",
    "history": "infra.commands.history",
    "lineage": "infra.commands.lineage",
    "diff": "infra.commands.diff",
    "publish": "infra.commands.publish",
    "rollback": "infra.commands.rollback",
    "trace": "infra.commands.trace",
    "reproduce": "infra.commands.reproduce",
    "recommend": "infra.commands.recommend",
}


def main() -> int:
    """Import the command's module only, and hand it the rest of the arguments."""
    name, *arguments = sys.argv[1:]
    if name not in COMMANDS:
        sys.exit(f"There is no command {name!r}. Known: {', '.join(COMMANDS)}.")
    status: int = importlib.import_module(COMMANDS[name]).main(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
