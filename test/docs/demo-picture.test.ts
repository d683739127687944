import t from 'tap';
import { pictured, runDemo, withoutChance } from '../../tools/docs/demo-picture.ts';
import { readText } from '../../tools/docs/pages.ts';
import { awsCli, missing } from '../../tools/support/find-tool.ts';

// A renewal is waited for, on a machine that runs other tests too.
t.setTimeout(120_000);

t.test(
  'docs/images/demo.svg shows what the demo prints',
  { skip: missing({ 'the AWS CLI': awsCli }) },
  async (t) => {
    const printed = withoutChance(await runDemo())
      .split('\n')
      .filter((line) => line !== '')
      .join('\n');
    t.equal(
      withoutChance(pictured(readText('docs/images/demo.svg'))),
      printed,
      'run npm run build && node build/js/tools/docs/update.js --pictures',
    );
  },
);
