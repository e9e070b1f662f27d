"""Each row of cases/*.json through boto3, every answer held against the model that this botocore brings.

Argument: the file of the setup. Then every operation must have been answered with success, and with each error that its model declares, but for
those of which the cases say why that cannot be, and those of trouble.py.
"""
import json
import sys

import checked
import table
import trouble

with open(sys.argv[1]) as f:
    setup = json.load(f)
counts = {'operations': 0, 'rows': 0, 'errors': 0}


def complete(client, service):
    """Nothing that the model declares is left."""
    model, rows = client.meta.service_model, table.read(service)
    here = set(setup['names'][service])
    newer = sorted(here - set(model.operation_names))
    if newer != rows['newer']:
        checked.bad('newer than this model are', newer, 'not', rows['newer'])
    never = set(rows['never'])
    for operation in sorted(here & set(model.operation_names)):
        seen = checked.seen[operation]
        if 'ok' not in seen:
            checked.bad(operation, 'was never answered with success')
        for error in (s.name for s in model.operation_model(operation).error_shapes):
            why = {error, f'{operation} {error}'} & never
            if f'{operation} {error}' in why and error in seen:
                checked.bad(operation, 'did answer', error, 'of which is said that it cannot be')
            if error not in seen and not why and error not in trouble.ERRORS:
                checked.bad(operation, 'was never answered with', error)
        counts['operations'] += 1
        counts['errors'] += len(seen - {'ok'})


for service in setup['names']:
    client = checked.client(service, setup['endpoint'], setup['id'], setup['secret'])
    counts['rows'] += table.run(service, setup, table.asker(client), set(setup['names'][service]) - set(client.meta.service_model.operation_names))
    complete(client, service)
print(*(f'{k} {v}' for k, v in counts.items()))
