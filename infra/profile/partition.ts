/** Partitions with both Cognito identity pools and IAM OIDC providers that this product knows how to address. */
export type Partition = 'aws' | 'aws-us-gov' | 'aws-cn';

/** The partition of a region, or undefined for one that is malformed or in a partition not handled here. */
export function partitionOf(region: string): Partition | undefined {
  if (/^us-gov-[a-z]+-\d$/.test(region)) return 'aws-us-gov';
  if (/^cn-[a-z]+-\d$/.test(region)) return 'aws-cn';
  // One word between country and number: the isolated partitions have two (us-iso-east-1).
  if (/^[a-z]{2}-[a-z]+-\d$/.test(region)) return 'aws';
  return undefined;
}
