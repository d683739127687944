import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { AwsConnection } from '../../../admin/aws/connection.ts';
import { deleteBuckets } from '../../../admin/deploy/delete-data.ts';
import { adminEdges, type EdgeOptions } from '../fixtures/admin-edges.ts';

const DENIED =
  '<Error><Code>AccessDenied</Code><Message>User ada is not authorized: s3:DeleteObject</Message></Error>';

/** What S3 says to each kind of request; given the number of those of its kind so far. */
type Answers = Readonly<
  Partial<Record<'list' | 'delete' | 'remove', (count: number) => [status: number, body: string]>>
>;

const listed = (keys: readonly string[]): [number, string] => [
  200,
  `<ListVersionsResult>${keys.map((key) => `<Version><Key>${key}</Key><VersionId>1</VersionId></Version>`).join('')}</ListVersionsResult>`,
];

/** Deletes buckets of an S3 that says what it is told to. */
async function deleteFrom(t: Test, answers: Answers, options: EdgeOptions = {}, names = ['one']) {
  const counts = { list: 0, delete: 0, remove: 0 };
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const kind = request.method === 'GET' ? 'list' : request.method === 'POST' ? 'delete' : 'remove';
      counts[kind] += 1;
      const usual = { list: listed([]), delete: [200, '<DeleteResult/>'], remove: [204, ''] } as const;
      const [status, body] = answers[kind]?.(counts[kind]) ?? usual[kind];
      response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const edges = adminEdges(options);
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const session = {
    settings: { endpoint, credentials, region: 'us-east-1', maxAttempts: 1 },
    target: { partition: 'aws', account: '123456789012', region: 'us-east-1' },
  } as unknown as AwsConnection;
  const outcome = await deleteBuckets(names, session, edges, 'ClaudeCode').then(
    (done) => ({ done, error: undefined }),
    (error: unknown) => ({ done: undefined, error }),
  );
  return { ...outcome, counts, said: edges.error() };
}

t.test('an empty bucket, a full one and a missing one are all deleted', async (t) => {
  const { done, counts } = await deleteFrom(
    t,
    {
      list: (count) =>
        count === 2 ? listed(['a', 'b']) : count === 4 ? [404, error('NoSuchBucket')] : listed([]),
      remove: (count) => (count === 3 ? [404, error('NoSuchBucket')] : [204, '']),
    },
    {},
    ['empty', 'full', 'gone'],
  );
  t.strictSame(done, [
    { bucket: 'empty', objects: 0 },
    { bucket: 'full', objects: 2 },
    { bucket: 'gone', objects: 0 },
  ]);
  t.strictSame(counts, { list: 4, delete: 1, remove: 3 });
});

t.test('objects that arrive meanwhile are deleted too, up to a limit of attempts', async (t) => {
  const late = await deleteFrom(t, {
    list: (count) => listed(count === 2 ? ['late'] : []),
    remove: (count) => (count === 1 ? [409, error('BucketNotEmpty')] : [204, '']),
  });
  t.match(late.done, [{ objects: 1 }]);
  const never = await deleteFrom(t, { remove: () => [409, error('BucketNotEmpty')] });
  t.match(never.error, { code: 'ERR_STACK_FAILED', message: /as fast as it is emptied; its stack is gone/ });
  t.equal(never.counts.remove, 5);
});

t.test('a missing permission is reported with the commands that delete the rest', async (t) => {
  const whole = await deleteFrom(t, { list: () => [403, DENIED] }, {}, ['one', 'two']);
  t.match(whole.error, {
    code: 'ERR_ADMIN_DENIED',
    message:
      'AWS refused emptying the bucket one: User ada is not authorized: s3:DeleteObject; its stack is gone, the bucket one is still there',
    fix: /what is left goes with: ccwb destroy --profile ClaudeCode --delete-bucket one && ccwb destroy --profile ClaudeCode --delete-bucket two/,
  });
  const single = await deleteFrom(t, {
    list: () => listed(['a']),
    delete: () => [
      200,
      '<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>',
    ],
  });
  t.match(single.error, {
    code: 'ERR_ADMIN_DENIED',
    message: /^AWS refused emptying the bucket one: a: no; /,
  });
});

t.test('an interruption ends the deletion and reports the number of deleted objects', async (t) => {
  const interruption = new AbortController();
  const { error: thrown } = await deleteFrom(
    t,
    {
      list: () => {
        interruption.abort();
        return listed(['a', 'b', 'c']);
      },
    },
    { interruption },
  );
  t.match(thrown, {
    code: 'ERR_INTERRUPTED',
    message: /^interrupted after 3 objects of the bucket one were deleted; /,
  });
});

t.test('a terminal shows the running count, a pipe every ten thousand objects', async (t) => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => `k${index}`);
  const answers: Answers = { list: (count) => listed(count <= 21 ? thousand : []) };
  const piped = await deleteFrom(t, answers);
  t.equal(
    piped.said,
    'emptying bucket one: 10000 objects deleted\nemptying bucket one: 20000 objects deleted\n' +
      'bucket one deleted, with 21000 objects that were in it\n',
  );
  const shown = await deleteFrom(t, answers, { columns: 80 });
  t.match(shown.said, '\r\u001b[2K  … emptying one: 5000\r\u001b[2K  … emptying one: 6000\r');
  t.match(shown.said, '\r\u001b[2Kbucket one deleted, with 21000 objects');
});

function error(code: string): string {
  return `<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}
