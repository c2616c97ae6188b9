"""Which files a JSON Schema allows, as the validators of others see it.

    schemas.py SCHEMA FILE...

Prints {"FILE": ["what is wrong", ...], ...}; fails where the schema is none.

    schemas.py --same YAML JSON

Fails where the two do not hold the same.
"""

import json
import sys

import jsonschema
import yaml


def read(path):
    with open(path, encoding="utf-8-sig") as file:
        return json.load(file) if path.endswith(".json") else yaml.safe_load(file)


def main(schema, *paths):
    schema = read(schema)
    validator = jsonschema.validators.validator_for(schema)
    assert validator is jsonschema.Draft202012Validator, validator
    validator.check_schema(schema)
    validator = validator(schema)
    print(json.dumps({path: [error.message for error in validator.iter_errors(read(path))] for path in paths}))


def same(first, second):
    first, second = read(first), read(second)
    assert first == second, f"{first!r}\n{second!r}"


if sys.argv[1] == "--same":
    same(*sys.argv[2:])
else:
    main(*sys.argv[1:])
