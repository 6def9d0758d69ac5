"""Fetch a base model from the hub into its local cache: tokenizer, configuration, safetensors, no more."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`fetch MODEL`."""
    parser.add_argument("model", metavar="MODEL", help="a hub id, such as Qwen/Qwen3-0.6B")


def run(args: argparse.Namespace) -> int:
    """Fetch what is missing and say where it is; the hub's own bars show how far it is."""
    from workbench.cli.console import say
    from workbench.project.base_model import locate

    say(str(locate(args.model, Path.cwd(), download=True).folder))
    return 0
