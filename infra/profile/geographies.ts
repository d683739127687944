/** The geographies of Bedrock's system-defined inference profiles. */
import type { Partition } from './partition.ts';

export type GeographyId = 'us' | 'eu' | 'jp' | 'au' | 'apac' | 'us-gov';

export type Geography = {
  /** Prefix of its inference profiles, as in `us.anthropic.claude-sonnet-4-6`. */
  readonly id: GeographyId;
  readonly label: string;
  readonly partition: Partition;
  /** Regions inside the geography: a call from one of them stays inside. */
  readonly holds: RegExp;
  /** Regions outside the geography that its profiles can be called from: such a call leaves the country. */
  readonly alsoServes?: RegExp;
};

/**
 * Says from where profiles can be called, never to where they route: AWS adds destinations without notice, and
 * the policy names none. The narrowest geography of a region comes first. There is no Canadian one: AWS serves
 * ca-central-1 through `us.`
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
 */
export const GEOGRAPHIES: readonly Geography[] = [
  {
    id: 'us',
    label: 'United States',
    partition: 'aws',
    holds: /^us-(east|west)-\d$/,
    alsoServes: /^ca-(central|west)-\d$/,
  },
  { id: 'eu', label: 'European Union', partition: 'aws', holds: /^eu-[a-z]+-\d$/ },
  { id: 'jp', label: 'Japan', partition: 'aws', holds: /^ap-northeast-[13]$/ },
  {
    id: 'au',
    label: 'Australia',
    partition: 'aws',
    holds: /^ap-southeast-[24]$/,
    alsoServes: /^ap-southeast-6$/,
  },
  { id: 'apac', label: 'Asia Pacific', partition: 'aws', holds: /^ap-[a-z]+-\d$/ },
  { id: 'us-gov', label: 'GovCloud (US)', partition: 'aws-us-gov', holds: /^us-gov-[a-z]+-\d$/ },
];

/** The prefix of a profile id that tells where it may run: a geography, `global`, or one that AWS has for other models. */
export const PROFILE_PREFIX = /^(us|us-gov|eu|apac|jp|au|ca|global)\./;

export function isServedBy(region: string, { holds, alsoServes }: Geography): boolean {
  return holds.test(region) || alsoServes?.test(region) === true;
}

/** Returns the geographies whose profiles can be called from one of these regions, the narrowest first. */
export function geographiesServing(regions: readonly string[]): readonly Geography[] {
  return GEOGRAPHIES.filter((geography) => regions.some((region) => isServedBy(region, geography)));
}

/** Returns the narrowest geography that each region lies in, each once: the default of `bedrock.geographies`. */
export function ownGeographies(regions: readonly string[]): readonly GeographyId[] {
  const own = regions.flatMap((region) => GEOGRAPHIES.find(({ holds }) => holds.test(region))?.id ?? []);
  return [...new Set(own)];
}
