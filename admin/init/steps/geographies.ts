/** The geographies of its inference profiles and the regions they route to. */
import { type Partition, partitionOf } from '../../../infra/profile/partition.ts';

export type Geography = {
  /** Prefix of its inference profiles, and what it is called in flags. */
  readonly id: string;
  readonly label: string;
  readonly partition: Partition;
  /** Regions that may answer a call through its profiles. Source: Bedrock's user guide, "Supported Regions". */
  readonly regions: readonly string[];
};

export const GEOGRAPHIES: readonly Geography[] = [
  {
    id: 'us',
    label: 'United States',
    partition: 'aws',
    regions: ['us-east-1', 'us-east-2', 'us-west-2'],
  },
  {
    id: 'eu',
    label: 'European Union',
    partition: 'aws',
    regions: ['eu-central-1', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-3'],
  },
  {
    id: 'apac',
    label: 'Asia Pacific',
    partition: 'aws',
    regions: [
      'ap-northeast-1',
      'ap-northeast-2',
      'ap-northeast-3',
      'ap-south-1',
      'ap-south-2',
      'ap-southeast-1',
      'ap-southeast-2',
      'ap-southeast-4',
    ],
  },
  { id: 'jp', label: 'Japan', partition: 'aws', regions: ['ap-northeast-1', 'ap-northeast-3'] },
  { id: 'au', label: 'Australia', partition: 'aws', regions: ['ap-southeast-2', 'ap-southeast-4'] },
  {
    id: 'us-gov',
    label: 'GovCloud (US)',
    partition: 'aws-us-gov',
    regions: ['us-gov-east-1', 'us-gov-west-1'],
  },
];

/** Replaces names of geographies in a list by their regions. */
export function expandGeographies(items: readonly string[]): readonly string[] {
  const expanded = items.flatMap((item) => GEOGRAPHIES.find(({ id }) => id === item)?.regions ?? [item]);
  return [...new Set(expanded)];
}

/** Returns the geographies that a region can use, its own first. */
export function geographiesFor(region: string): readonly Geography[] {
  const own = ({ regions }: Geography): number => (regions.includes(region) ? 0 : 1);
  return GEOGRAPHIES.filter(({ partition }) => partition === partitionOf(region)).sort(
    (a, b) => own(a) - own(b),
  );
}

/** Returns the geography with exactly these regions, in any order. */
export function geographyOf(regions: readonly string[]): Geography | undefined {
  const wanted = [...new Set(regions)].sort().join();
  return GEOGRAPHIES.find((geography) => [...geography.regions].sort().join() === wanted);
}
