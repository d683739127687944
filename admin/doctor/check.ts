import { type Finding, skipped } from '../../common/findings.ts';
import type { CallerIdentity, ClientSettings } from '../aws/aws-identity.ts';
import type { CloudFormation, StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import type { ProviderMetadata } from '../init/discovery.ts';
import type { ChosenProfile } from '../profiles/chosen-profile.ts';

/** What checks look at; whatever takes time is begun by the first that asks, and shared. */
export type AdminDoctorContext = {
  readonly edges: AdminEdges;
  readonly machine: AdminMachine;
  /** @throws CcwbError when no profile can be chosen, or it is broken. */
  chosen(): ChosenProfile;
  /** Who calls AWS. @throws CcwbError ERR_ADMIN_CREDENTIALS, ERR_AWS_UNREACHABLE */
  aws(): Promise<{ readonly settings: ClientSettings; readonly identity: CallerIdentity }>;
  cloud(): Promise<CloudFormation>;
  /** Every stack that there is, by the name of the stack's kind. */
  stacks(): Promise<ReadonlyMap<string, StackState>>;
  /** The provider's discovery document. @throws CcwbError ERR_PROVIDER_UNREACHABLE, ERR_PROVIDER_INVALID */
  discovery(): Promise<ProviderMetadata>;
};

/** What is true of this computer and no file says. */
export type AdminMachine = {
  /** `process.versions.node`. */
  readonly node: string;
  /** Bytes that may still be written to the file system of a folder. */
  freeBytes(folder: string): number;
  readonly workingFolder: string;
};

export type AdminCheck = (looking: AdminDoctorContext) => Promise<Finding[]> | Finding[];

/** A check that there is nothing to look at for without a profile, which another one tells. */
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
