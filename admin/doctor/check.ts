import { type Finding, skipped } from '../../common/findings.ts';
import type { CallerIdentity, ClientSettings } from '../aws/aws-identity.ts';
import type { CloudFormation, StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import type { ProviderMetadata } from '../init/discovery.ts';
import type { ChosenProfile } from '../profiles/chosen-profile.ts';

/** The context of all checks. Slow facts are fetched for the first check that asks, and shared. */
export type AdminDoctorContext = {
  readonly edges: AdminEdges;
  readonly machine: AdminMachine;
  /** @throws CcwbError when no profile can be chosen, or it is broken. */
  chosen(): ChosenProfile;
  /** The caller of AWS. @throws CcwbError ERR_ADMIN_CREDENTIALS, ERR_AWS_UNREACHABLE */
  aws(): Promise<{ readonly settings: ClientSettings; readonly identity: CallerIdentity }>;
  cloud(): Promise<CloudFormation>;
  /** Existing stacks, by kind. */
  stacks(): Promise<ReadonlyMap<string, StackState>>;
  /** The provider's discovery document. @throws CcwbError ERR_PROVIDER_UNREACHABLE, ERR_PROVIDER_INVALID */
  discovery(): Promise<ProviderMetadata>;
};

/** Facts about this computer that no file holds. */
export type AdminMachine = {
  /** `process.versions.node`. */
  readonly node: string;
  /** Free bytes on the file system of a folder. */
  freeBytes(folder: string): number;
  readonly workingFolder: string;
};

export type AdminCheck = (looking: AdminDoctorContext) => Promise<Finding[]> | Finding[];

/** Returns a check that is skipped without a profile; another check reports the missing profile. */
export function withProfile(check: AdminCheck): AdminCheck {
  return (looking) => {
    try {
      looking.chosen();
    } catch {
      return [skipped('without a profile')];
    }
    return check(looking);
  };
}
