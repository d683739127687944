import type { Target } from './target.ts';
import { apiTarget } from './target-api.ts';
import { awsTarget } from './target-aws.ts';
import { callbackTarget } from './target-callback.ts';
import { claimsTarget } from './target-claims.ts';
import { clientTarget } from './target-client.ts';
import { configTarget } from './target-config.ts';
import { redeemTarget } from './target-redeem.ts';
import { sessionTarget } from './target-session.ts';
import { tokensTarget } from './target-tokens.ts';

/** In the order of a whole run: the quick ones first, so that what they find is found soon. */
export const TARGETS: readonly Target[] = [
  configTarget,
  sessionTarget,
  claimsTarget,
  tokensTarget,
  awsTarget,
  clientTarget,
  redeemTarget,
  callbackTarget,
  apiTarget,
];
