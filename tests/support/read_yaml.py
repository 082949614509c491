"""Reads YAML files with PyYAML, a YAML 1.1 reader, and prints their documents as JSON."""
import json
import sys

import yaml


def documents(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(yaml.load_all(file.read(), Loader=loader))


class UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """PyYAML lets the last of equal keys win; nothing that is rendered may depend on that."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if not all(isinstance(key, str) for key in keys):
            raise ValueError(f"a key is not text: {keys}")
        if len(set(keys)) != len(keys):
            raise ValueError(f"a key stands twice: {keys}")
        return super().construct_mapping(node, deep)


# libyaml, where it is there, is faster and refuses more.
loader = UniqueKeys
json.dump([documents(path) for path in sys.argv[1:]], sys.stdout)
