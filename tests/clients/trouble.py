"""Every operation of a broker that is in trouble: each must say so with the error and the status of its model.

Arguments: endpoint, key id, secret, the error that is expected, inputs of operations ("Name", or "service Name") for which a sample will not do, as JSON; then for each service
its name and, after =, the operations joined by commas. Prints which operations said it, by service.
"""
import json
import sys

import botocore.exceptions

# What rows of cases/*.json cannot provoke.
ERRORS = {'ThrottlingException', 'InternalFailureException', 'InternalException', 'ServiceUnavailableException'}


def main():
    import checked
    import samples
    endpoint, key_id, secret, expected = sys.argv[1:5]
    given = json.loads(sys.argv[5])
    for service, operations in (word.split('=') for word in sys.argv[6:]):
        client = checked.client(service, endpoint, key_id, secret)
        methods = {v: k for k, v in client.meta.method_to_api_mapping.items()}
        said = []
        for operation in sorted(set(operations.split(',')) & set(methods)):
            model = client.meta.service_model.operation_model(operation)
            inputs = given.get(f'{service} {operation}') or given.get(operation) or (samples.sample(model.input_shape) if model.input_shape else {})
            checked.tolerate_undeclared(operation, expected)
            try:
                getattr(client, methods[operation])(**inputs)
            except botocore.exceptions.ClientError as e:
                if e.response['Error']['Code'] == expected:
                    said.append(operation)
        print(service, ','.join(said))


if __name__ == '__main__':
    main()
