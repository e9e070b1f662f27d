"""A boto3 client whose every answer is held against the model that this botocore brings: members, types, enums, timestamps, errors and their status.

What breaks the model is a line that begins with BAD; which operations were called, and with which error, is in `seen`.
"""
import collections
import json

import boto3
import botocore.config
import botocore.exceptions

seen = collections.defaultdict(set)
tolerated = set()
KINDS = {'string': str, 'blob': str, 'integer': int, 'long': int, 'float': (int, float), 'double': (int, float), 'timestamp': (int, float),
         'boolean': bool, 'structure': dict, 'list': list, 'map': dict}


def bad(*words):
    print('BAD', *words)


def hold(shape, value, where):
    """The value is what the shape says, down to the last member."""
    kind = shape.type_name
    if kind == 'timestamp' and shape.serialization.get('timestampFormat', 'unixTimestamp') != 'unixTimestamp':
        bad(where, 'has a format that is not looked at here')
    elif not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != 'boolean'):
        bad(where, 'is no', kind, repr(value)[:80])
    elif kind == 'structure':
        names = {m.serialization.get('name', n): m for n, m in shape.members.items()}
        for name, one in value.items():
            if name not in names:
                bad(where, 'has a member that the model does not have:', name)
            else:
                hold(names[name], one, f'{where}.{name}')
    elif kind == 'list':
        for one in value:
            hold(shape.member, one, f'{where}[]')
    elif kind == 'map':
        for name, one in value.items():
            hold(shape.key, name, f'{where} key')
            hold(shape.value, one, f'{where}.{name}')
    elif kind == 'timestamp' and not 1e9 <= value < 1e11:
        bad(where, 'is no time in seconds:', value)
    elif kind == 'string' and getattr(shape, 'enum', None) and value not in shape.enum:
        bad(where, 'is none of the enum:', value)


def tolerate_undeclared(operation, error):
    """What is true of every operation, whether its model says so or not."""
    tolerated.add((operation, error))


def answered(model, service, response_dict=None, operation_name=None, **_):
    if not response_dict:
        return
    operation = model.operation_model(operation_name)
    status, body, headers = response_dict['status_code'], response_dict['body'], response_dict['headers']
    if not headers.get('x-amzn-RequestId'):
        bad(operation_name, 'has no request id')
    if status < 300:
        seen[operation_name].add('ok')
        output = operation.output_shape
        if operation.http.get('responseCode', 200) != status:
            bad(operation_name, 'answers', status)
        if output is not None and 'payload' not in output.serialization:
            hold(output, json.loads(body or b'{}'), operation_name)
        return
    name = headers.get('x-amzn-ErrorType', '').split(':')[0]
    seen[operation_name].add(name)
    declared = {s.name: s.metadata.get('error', {}).get('httpStatusCode') for s in operation.error_shapes}
    if name not in declared:
        if (operation_name, name) in tolerated:
            return
        bad(operation_name, 'has no such error in the model:', status, name, body.decode())
    elif declared[name] != status:
        bad(operation_name, name, 'has status', declared[name], 'in the model, answered is', status)
    if not isinstance(json.loads(body).get('message'), str):
        bad(operation_name, 'error without message', body.decode())


def client(service, endpoint, key_id, secret, validate=True):
    config = botocore.config.Config(parameter_validation=validate)
    c = boto3.client(service, endpoint_url=endpoint, region_name='us-east-1', aws_access_key_id=key_id, aws_secret_access_key=secret, config=config)
    model = c.meta.service_model

    def received(response_dict=None, context=None, **kw):
        answered(model, service, response_dict=response_dict, operation_name=kw['event_name'].split('.')[-1])

    c.meta.events.register(f'response-received.{model.service_id.hyphenize()}', received)
    return c
