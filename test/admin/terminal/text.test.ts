import t from 'tap';
import { showProgress } from '../../../admin/deploy/progress.ts';
import { listWords, oneLine, paragraph, typeWords } from '../../../admin/terminal/text.ts';
import { adminEdges } from '../fixtures/admin-edges.ts';

t.test('a text from outside becomes one line without control characters', async (t) => {
  t.equal(oneLine('a\r\n\tb\u001b[31mc\u202ed\u2028e'), 'a b[31mcd e');
  t.equal(oneLine('x'.repeat(2_000)).length, 600);
});

t.test('a paragraph is wrapped on a terminal and stays one line without one', async (t) => {
  t.equal(paragraph('one two three four five', 24, '  + '), '  + one two three four\n    five\n');
  t.equal(paragraph('one two', undefined, '  + '), '  + one two\n');
  const arn = 'arn:aws:iam::123456789012:role/that-is-longer-than-any-line';
  t.equal(paragraph(`see ${arn}`, 30), `see\n${arn}\n`, 'a name is not broken: it is there to be copied');
});

t.test('types and lists are formatted in words', async (t) => {
  t.equal(typeWords('AWS::IAM::OIDCProvider'), 'IAM OIDCProvider');
  t.strictSame([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listWords), ['', 'a', 'a and b', 'a, b and c']);
});

t.test('the waiting line is shown on terminals only and replaced by the next line', async (t) => {
  const event = {
    id: '1',
    at: 0,
    logicalId: 'Role',
    type: 'AWS::IAM::Role',
    status: 'CREATE_COMPLETE',
    reason: undefined,
    ofStack: false,
    token: undefined,
    operation: undefined,
  };
  const tidy = adminEdges({ columns: 80 });
  const progress = showProgress('stack', tidy);
  progress.waiting(7_000);
  progress.event(event);
  const [waiting = '', line = ''] = tidy.error().split('\r\u001b[2K');
  t.equal(waiting, '  … CloudFormation is at work, nothing new for 7 s');
  t.match(line, /^ {2}\d\d:\d\d:\d\d {2}created +Role \(IAM Role\)\n$/);
  const begun = { ...event, logicalId: 'Other', status: 'CREATE_IN_PROGRESS' };
  for (const _ of [1, 2]) progress.event(begun);
  t.equal(tidy.error().split('Other').length, 2, 'what is said twice is shown once');
  const piped = adminEdges();
  showProgress('stack', piped).waiting(7_000);
  t.equal(piped.error(), '');
});
