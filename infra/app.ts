import { App, type Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type AnalyticsProps, AnalyticsStack } from './analytics/analytics-stack.ts';
import { AuthStack } from './auth/auth-stack.ts';
import { MonitoringStack } from './collector/monitoring-stack.ts';
import { type DashboardProps, DashboardStack } from './dashboard/dashboard-stack.ts';
import { NetworkingStack } from './network/networking-stack.ts';
import { logGroupName, metricNamespace, type StackId } from './outputs.ts';
import type { InfraProfile, Monitoring } from './profile/profile.ts';

const CREATE: Readonly<Record<StackId, (scope: Construct, profile: InfraProfile) => Stack>> = {
  auth: (scope, profile) => new AuthStack(scope, profile),
  networking: (scope, profile) => new NetworkingStack(scope, profile),
  monitoring: (scope, profile) => new MonitoringStack(scope, profile),
  dashboard: (scope, profile) => new DashboardStack(scope, dashboardProps(profile)),
  analytics: (scope, profile) => new AnalyticsStack(scope, analyticsProps(profile)),
};

function dashboardProps(profile: InfraProfile): DashboardProps {
  const { name, region, bedrock } = profile;
  const { environment, analytics, alarms } = monitoringOf(profile);
  return {
    name,
    region,
    environment,
    namespace: metricNamespace(name),
    metricsLogGroup: logGroupName(name, 'metrics'),
    bedrockRegions: [...new Set(bedrock.regions)],
    analytics: analytics !== undefined,
    ...(alarms && { alarms }),
  };
}

function analyticsProps(profile: InfraProfile): AnalyticsProps {
  const { name, region } = profile;
  const { retentionDays, analytics } = monitoringOf(profile);
  if (!analytics) throw new TypeError('the profile asks for no analytics');
  const logGroups = { metrics: logGroupName(name, 'metrics'), events: logGroupName(name, 'events') };
  return { name, region, logGroups, retentionDays, ...analytics };
}

function monitoringOf({ monitoring }: InfraProfile): Monitoring {
  if (!monitoring) throw new TypeError('the profile asks for no monitoring');
  return monitoring;
}

/** Creates one stack of a profile in the caller's CDK application. */
export function createStack(scope: Construct, stack: StackId, profile: InfraProfile): Stack {
  return CREATE[stack](scope, profile);
}

/**
 * Returns the CloudFormation template of one stack, as an object ready for JSON. It needs no network.
 *
 * @param profile must have passed `findProfileProblem`, and `stack` be one of its `stacksOf`.
 * @param directory existing empty directory for CDK's intermediate files; the caller removes it.
 */
export function synthesize(
  stack: StackId,
  profile: InfraProfile,
  directory: string,
): Record<string, unknown> {
  const app = new App({
    outdir: directory,
    analyticsReporting: false,
    treeMetadata: false,
    stackTraces: false,
    // Takes seconds and has nothing to say about a user's input: the project's tests validate the
    // templates of every configuration.
    builtinCloudFormationValidation: false,
  });
  const { artifactId } = createStack(app, stack, profile);
  return app.synth().getStackArtifact(artifactId).template;
}
