#!/usr/bin/env python3
"""Two promises held against a folder of conformance cases: what `compose config` prints, fed back, gives the same output;
and the JSON schema that `compose schema` prints accepts every file that loads (as editors see it: before variables are
replaced) and refuses those with unknown attributes. Last line: `N passed, N failed`."""
import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans and numbers, Compose's tags, keys as texts."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":int", ":timestamp", ":value"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
Loader.add_constructor("!reset", lambda loader, node: None)


def overridden(loader, node):
    node.tag = {yaml.ScalarNode: "tag:yaml.org,2002:str", yaml.SequenceNode: "tag:yaml.org,2002:seq"}.get(
        type(node), "tag:yaml.org,2002:map")
    return loader.construct_object(node, deep=True)


Loader.add_constructor("!override", overridden)


class Case:
    def __init__(self, folder, compose, validator):
        self.folder, self.compose, self.validator = folder, compose, validator
        self.words = shlex.split((folder / "cmd").read_text())
        self.loads = not (folder / "expect.error").exists()

    def run(self):
        wrongs = []
        if self.loads and "config" in self.words and "--format" in self.words and not any(w.startswith("--no-") for w in self.words):
            wrongs += self.fed_back()
        return wrongs + self.against_schema()

    def fed_back(self):
        with tempfile.TemporaryDirectory(prefix="conformance-") as top:
            project = Path(top, "project")
            shutil.copytree(self.folder, project, symlinks=True)
            env = {"PATH": os.environ["PATH"], "HOME": top, "LANG": "C.UTF-8"}
            if (self.folder / "env").exists():
                env.update(line.split("=", 1) for line in (self.folder / "env").read_text().splitlines() if line.strip())
            cwd = project / (self.folder / "cwd").read_text().strip() if (self.folder / "cwd").exists() else project
            stdin = (self.folder / "stdin").read_bytes() if (self.folder / "stdin").exists() else b""
            first = subprocess.run([self.compose, *self.words], cwd=cwd, env=env, input=stdin, capture_output=True)
            if first.returncode != 0:
                return [f"does not load: {first.stderr.decode()[-200:]}"]
            model = json.loads(first.stdout)
            if error := next(self.validator.iter_errors(model), None):
                yield_at = "/".join(map(str, error.absolute_path))
                return [f"the schema refuses the output at {yield_at}: {error.message[:200]}"]
            Path(top, "again.yaml").write_bytes(first.stdout)
            everything = ["--all-resources"] if "--all-resources" in self.words else []
            again = [self.compose, *everything, "-f", str(Path(top, "again.yaml")), "--project-directory", str(cwd), "--profile", "*",
                     "config", "--format", "json"]
            bare = {key: value for key, value in env.items() if not key.startswith("COMPOSE_")}
            second = subprocess.run(again, cwd=top, env=bare, capture_output=True)
            if second.returncode != 0:
                return [f"the output does not load: {second.stderr.decode()[-300:]}"]
            if json.loads(second.stdout) != model:
                return ["the output fed back gives another output: " + difference(model, json.loads(second.stdout))]
        return []

    def against_schema(self):
        unknown = re.search(r"unknown-\w+-key", self.folder.name)
        if not self.loads and not unknown:
            return []
        refused = []
        for path in sorted(self.folder.rglob("*.y*ml")):
            try:
                documents = [d for d in yaml.load_all(path.read_text(), Loader) if isinstance(d, dict)]
            except (yaml.YAMLError, ValueError, TypeError):
                continue  # what is read differently is not the schema's affair
            for document in documents:
                for error in self.validator.iter_errors(without_nulls(document)):
                    refused.append(f"{path.name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:160]}")
        if self.loads and refused:
            return [f"the schema refuses what loads: {refused[0]}"]
        if unknown and not refused:
            return ["the schema accepts an unknown attribute"]
        return []


def without_nulls(value):
    """An empty value says nothing wherever it stands."""
    if isinstance(value, dict):
        return {str(key): without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def difference(left, right, path=""):
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}):
            if left.get(key) != right.get(key):
                return difference(left.get(key), right.get(key), f"{path}.{key}")
    return f"{path}: {json.dumps(left)[:150]} became {json.dumps(right)[:150]}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--compose", required=True)
    arguments.add_argument("--cases", required=True)
    arguments.add_argument("-k", default="")
    options = arguments.parse_args()
    compose = os.path.abspath(options.compose)
    schema = json.loads(subprocess.run([compose, "schema"], capture_output=True, check=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    folders = sorted(path.parent for path in Path(options.cases).glob("*/cmd") if re.search(options.k, path.parent.name))
    bad = 0
    with ThreadPoolExecutor(2) as pool:
        for folder, wrongs in zip(folders, pool.map(lambda one: Case(one, compose, validator).run(), folders)):
            bad += bool(wrongs)
            for wrong in wrongs:
                print(f"{folder.name}: {wrong}")
    print(f"{len(folders) - bad} passed, {bad} failed")
    return 1 if bad or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
