import t from 'tap';
import { awsCli, missing } from '../fixtures/tools.ts';
import { pictured, runDemo, withoutChance } from './demo-picture.ts';
import { readText } from './pages.ts';

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
      'run npm run build && node build/js/test/docs/update.js --pictures',
    );
  },
);
