/** The rules of AWS for a profile, checked before anything is synthesised. */
import { checkAccessGroups, checkAudit } from './access-checks.ts';
import { findBedrockProblem } from './bedrock-checks.ts';
import { checkKeysAreKnown, findMonitoringProblem } from './monitoring-checks.ts';
import { partitionOf } from './partition.ts';
import type { InfraCandidate, InfraProfile, ProfileProblem } from './profile.ts';
import { checkSessionTags } from './session-tags.ts';

// IAM's bounds for MaxSessionDuration of a role.
const SESSION_SECONDS = { least: 3_600, most: 43_200 };

// CloudFormation's rule for stack names, less the room for our prefix and the longest stack's suffix.
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** Returns the first thing wrong with a profile; undefined when every stack can be made from it. */
export function findProfileProblem(profile: InfraProfile): ProfileProblem | undefined {
  return findCandidateProblem(profile) ?? checkKeysAreKnown(profile);
}

/** Returns the first wrong value of a profile whose provider may be missing; what is missing is no problem. */
export function findCandidateProblem(profile: InfraCandidate): ProfileProblem | undefined {
  return [
    checkName(profile),
    checkIssuer(profile),
    checkClientId(profile),
    checkRegion(profile),
    findBedrockProblem(profile),
    checkSessionSeconds(profile),
    checkSessionTags(profile),
    checkAccessGroups(profile),
    checkAudit(profile),
    findMonitoringProblem(profile),
  ].find((problem) => problem !== undefined);
}

function checkName({ name }: InfraCandidate): ProfileProblem | undefined {
  if (NAME_PATTERN.test(name)) return undefined;
  const allowed = 'at most 64 letters, digits and hyphens: CloudFormation stacks are named after it';
  return { field: 'name', value: name, allowed };
}

function checkIssuer({ identityProvider, federation }: InfraCandidate): ProfileProblem | undefined {
  const { type, issuer, loginKey = '' } = identityProvider;
  if (issuer === undefined) return undefined;
  // IAM registers providers by https URL only and refuses a port.
  if (!/^https:\/\/[A-Za-z0-9.-]+(\/[^\s?#]*)?$/.test(issuer) || issuer !== `https://${loginKey}`) {
    const allowed = 'an https URL without port, query or fragment: AWS must reach and register it';
    return { field: 'issuer', value: issuer, allowed };
  }
  // Checked here because Cognito would otherwise fail the deployment half-way with a less clear text.
  const isUserPool = /^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/[\w-]+$/.test(loginKey);
  if (type === 'cognito' && federation.type === 'cognito' && !isUserPool) {
    const allowed = 'https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID for a Cognito user pool';
    return { field: 'issuer', value: issuer, allowed };
  }
  return undefined;
}

function checkClientId({ identityProvider }: InfraCandidate): ProfileProblem | undefined {
  const { type, clientId } = identityProvider;
  if (clientId === undefined) return undefined;
  const isUserPool = type === 'cognito';
  // An identity pool takes only such a client id for a user pool; user pools issue no others.
  if (isUserPool ? /^\w{1,128}$/.test(clientId) : /^\S{1,255}$/.test(clientId)) return undefined;
  const allowed = isUserPool
    ? '1 to 128 letters, digits and underscores'
    : '1 to 255 characters without spaces';
  return { field: 'clientId', value: clientId, allowed };
}

function checkRegion({ region }: InfraCandidate): ProfileProblem | undefined {
  if (partitionOf(region)) return undefined;
  const allowed = 'a region of the commercial, GovCloud (US) or China partition, such as us-east-1';
  return { field: 'region', value: region, allowed };
}

function checkSessionSeconds({ federation }: InfraCandidate): ProfileProblem | undefined {
  if (federation.type !== 'direct') return undefined;
  const seconds = federation.maxSessionSeconds;
  const { least, most } = SESSION_SECONDS;
  if (Number.isInteger(seconds) && seconds >= least && seconds <= most) return undefined;
  const allowed = `a whole number of seconds from ${least} to ${most}`;
  return { field: 'federation.maxSessionSeconds', value: seconds, allowed };
}
