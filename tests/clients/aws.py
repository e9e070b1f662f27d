"""Each operation once, and each error once, through Debian's `aws`, with its flags as one types them; the other rows of cases/*.json by
the botocore that is in it.

Argument: the file of the setup. /usr/bin/aws takes a second to load, so it is loaded once here and each command is a fork of that, in which the
program runs as from a shell: arguments, environment, exit code and what it prints. Whether it starts by itself is seen in signatures.test.js.
"""
import base64
import gc
import json
import os
import re
import runpy
import sys

import awscli.clidriver  # all of it before the first fork
import awscli.customizations  # noqa: F401
import botocore
import botocore.session

import checked
import table

AWS = '/usr/bin/aws'
ERROR = re.compile(r'An error occurred \((\w+)\) when calling the (\w+) operation')

with open(sys.argv[1]) as f:
    setup = json.load(f)
os.environ.update(AWS_ACCESS_KEY_ID=setup['id'], AWS_SECRET_ACCESS_KEY=setup['secret'], AWS_DEFAULT_REGION='us-east-1', AWS_PAGER='')
session = botocore.session.get_session()
models = {service: session.get_service_model(service) for service in setup['names']}
OUT = f"{setup['folder']}/out"
gc.freeze()  # what is loaded stays shared with the forks


def child(args):
    os.dup2(os.open(f'{OUT}.1', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.dup2(os.open(f'{OUT}.2', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    sys.argv = [AWS, *args]
    code = 1
    try:
        runpy.run_path(AWS, run_name='__main__')
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run(args):
    """Exit code, stdout and stderr of `aws` with these arguments."""
    pid = os.fork()
    if pid == 0:
        child(args)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with open(f'{OUT}.1') as out, open(f'{OUT}.2') as err:
        return code, out.read(), err.read()


def flags(model, inputs):
    """The inputs as flags; a blob comes from a file."""
    for name, value in inputs.items():
        flag = '--' + botocore.xform_name(name, '-')
        if model.input_shape.members[name].type_name == 'blob':
            with open(f'{OUT}.in', 'wb') as f:
                f.write(value.encode() if isinstance(value, str) else table.bytes_of(value))
            yield from (flag, f'fileb://{OUT}.in')
        elif isinstance(value, bool):
            yield flag if value else flag.replace('--', '--no-', 1)
        else:
            yield from (flag, value if isinstance(value, str) else json.dumps(value))


def answer_of(model, out):
    answer = json.loads(out) if out.strip() else {}
    payload = model.output_shape and model.output_shape.members.get('payload')
    if payload and 'payload' in model.output_shape.serialization:
        with open(f'{OUT}.file') as f:
            answer['payload'] = f.read()
    elif payload:
        answer['payload'] = base64.b64decode(answer['payload']).decode('latin-1')
    return answer


def typed(service, operation, inputs):
    """What `aws` answers, or the name of its error."""
    model = models[service].operation_model(operation)
    body = model.output_shape and 'payload' in model.output_shape.serialization
    words = [service, botocore.xform_name(operation, '-'), *flags(model, inputs), *([f'{OUT}.file'] if body else [])]
    code, out, err = run(['--endpoint-url', setup['endpoint'], '--no-paginate', *words])
    if code == 0:
        return answer_of(model, out)
    error = ERROR.search(err)
    return error[1] if error and error[2] == operation else f'code {code}: {err}'


def asker(service):
    other = table.asker(session.create_client(service, endpoint_url=setup['endpoint']))

    def ask(operation, inputs, error):
        what = error or operation
        if what in done:
            return other(operation, inputs, error)
        done.add(what)
        return typed(service, operation, inputs)
    return ask


done = set()  # operations that succeeded, and errors
for service, model in models.items():
    known = set(setup['names'][service]) & set(model.operation_names)
    table.run(service, setup, asker(service), set(setup['names'][service]) - known)
    for operation in sorted(known - done):
        checked.bad(operation, 'was never answered with success')
errors = [name for name in done if name.endswith('Exception')]
print('operations', len(done) - len(errors), 'errors', len(errors))
