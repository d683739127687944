import t from 'tap';
import { modelFor } from '../../../admin/trial/bedrock.ts';

const HAIKU = 'anthropic.claude-haiku-4-5-20251001-v1:0';
const SONNET = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
const OLD_HAIKU = 'anthropic.claude-3-haiku-20240307-v1:0';

const EUROPE = {
  inferenceProfiles: [`eu.${OLD_HAIKU}`, `eu.${HAIKU}`, `eu.${SONNET}`, `global.${SONNET}`],
  foundationModels: [OLD_HAIKU],
};

const FREE = {
  roleArn: undefined,
  regions: [],
  model: undefined,
  models: undefined,
  geographies: ['eu'],
  globalInference: true,
  collector: undefined,
  outdated: [],
};

t.test('the chosen model is called by its id in the region', async (t) => {
  const chosen = (model: string) => modelFor({ ...FREE, model }, EUROPE);
  t.equal(chosen(`eu.${SONNET}`), `eu.${SONNET}`);
  t.equal(chosen(`us.${SONNET}`), `eu.${SONNET}`, 'under another geography');
  t.equal(chosen(`global.${SONNET}`), `global.${SONNET}`);
  t.equal(chosen(OLD_HAIKU), OLD_HAIKU, 'a foundation model by itself');
  t.equal(chosen(HAIKU), `eu.${HAIKU}`, 'one that is only to be had through a profile');
  const own = 'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/x1';
  t.equal(chosen(own), own, 'what the lists cannot have is left to Bedrock');
  t.equal(modelFor({ ...FREE, model: 'm' }, undefined), 'm');
});

t.test('without a choice the smallest allowed model is called', async (t) => {
  t.equal(modelFor(FREE, EUROPE), `eu.${HAIKU}`);
  const sonnets = { ...FREE, models: ['anthropic.claude-sonnet-*'] };
  t.equal(modelFor({ ...sonnets, globalInference: false }, EUROPE), `eu.${SONNET}`);
  t.equal(modelFor({ ...sonnets, geographies: [] }, EUROPE), `global.${SONNET}`);
  t.equal(modelFor({ ...sonnets, geographies: [], globalInference: false }, EUROPE), undefined);
  t.equal(modelFor({ ...FREE, models: ['meta.*'] }, EUROPE), undefined);
  t.equal(modelFor(FREE, undefined), undefined);
});
