import t from 'tap';
import { boto3, type Client, commandLine, javaScript } from '../../tools/sdks/clients.ts';
import { CALLS, startLaboratory } from '../../tools/sdks/measure.ts';
import { awsCli, missing, pythonWithBoto3 } from '../../tools/support/find-tool.ts';

// `npm run test:sdks` has the SDKs that must be built first, and more lives.
const laboratory = await startLaboratory();
t.teardown(() => laboratory.close());

const NO_BOTO3 = missing({ 'Python with boto3': pythonWithBoto3 });
const CLIENTS: [string, string | false, () => Client][] = [
  ['the AWS CLI', missing({ 'the AWS CLI': awsCli }), () => commandLine(awsCli ?? '', false)],
  ['boto3', NO_BOTO3, () => boto3('boto3', pythonWithBoto3 ?? '', false)],
  ['the SDK for JavaScript', false, javaScript],
];

for (const [name, skip, client] of CLIENTS) {
  t.test(
    `${name} gets credentials in both ways and asks once while 20 minutes are left`,
    { skip },
    async (t) => {
      for (const way of ['credential_process', 'container endpoint'] as const) {
        const { succeeded, asked, problem } = await laboratory.measure(client(), way, 20);
        t.equal(succeeded, CALLS, problem ?? way);
        t.equal(asked, client().oneCallEach ? CALLS : 1, way);
      }
    },
  );
}

t.test('SDKs ask again at every call when little time is left', { skip: NO_BOTO3 }, async (t) => {
  const python = await laboratory.measure(
    boto3('boto3', pythonWithBoto3 ?? '', false),
    'credential_process',
    14,
  );
  t.equal(python.succeeded, CALLS, python.problem ?? 'all succeed');
  t.ok(python.asked > 1, `botocore under 15 minutes: ${python.asked} times`);
  const node = await laboratory.measure(javaScript(), 'credential_process', 4);
  t.equal(node.succeeded, CALLS, node.problem ?? 'all succeed');
  t.ok(node.asked > 1, `JavaScript under 5 minutes: ${node.asked} times`);
});
