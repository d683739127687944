/** Rules of Elastic Load Balancing that an update breaks when something new is created before the old is deleted. */
import type { ChangeSetRecord, StackRecord } from './records.ts';
import { type ParsedTemplate, referencesIn } from './templates.ts';

/** A resource that an update cannot create, and AWS's reason. */
export interface UpdateConflict {
  readonly logicalId: string;
  readonly reason: string;
}

interface PlannedListener {
  readonly logicalId: string;
  readonly port: string;
  /** Physical id of the load balancer. */
  readonly loadBalancer: string;
  readonly targetGroups: readonly string[];
}

/**
 * Finds the first new listener that cannot be created: a load balancer has one listener for each port, and a target
 * group one load balancer. Until the cleanup at the end of the update, what is replaced or removed is still there.
 */
export function findConflict(
  stack: StackRecord,
  { template, changes }: ChangeSetRecord,
): UpdateConflict | undefined {
  const isNew = (id: string): boolean =>
    changes.some(
      ({ logicalId, action, replacement }) =>
        logicalId === id && (action === 'Add' || replacement === 'True'),
    );
  const identity = (id: string): string =>
    isNew(id) ? `new ${id}` : (stack.resources.get(id)?.physicalId ?? id);
  const before = stack.template
    ? listenersIn(stack.template, (id) => stack.resources.get(id)?.physicalId ?? id)
    : [];
  const after = listenersIn(template, identity);
  // A listener that changes in place lets go of what it had.
  const still = before.map((old) => {
    const changed = isNew(old.logicalId)
      ? undefined
      : after.find(({ logicalId }) => logicalId === old.logicalId);
    return changed ?? old;
  });
  for (const listener of after.filter(({ logicalId }) => isNew(logicalId))) {
    const { logicalId, port, loadBalancer, targetGroups } = listener;
    if (still.some((other) => other.port === port && other.loadBalancer === loadBalancer)) {
      return {
        logicalId,
        reason: `A listener already exists on this port for this load balancer '${loadBalancer}'`,
      };
    }
    const shared = targetGroups.find((group) =>
      still.some((other) => other.loadBalancer !== loadBalancer && other.targetGroups.includes(group)),
    );
    if (shared !== undefined) {
      const reason = `The following target groups cannot be associated with more than one load balancer: ${shared}`;
      return { logicalId, reason };
    }
  }
  return undefined;
}

function listenersIn({ Resources }: ParsedTemplate, identity: (id: string) => string): PlannedListener[] {
  return Object.entries(Resources).flatMap(([logicalId, { Type, Properties = {} }]) => {
    if (Type !== 'AWS::ElasticLoadBalancingV2::Listener') return [];
    const [loadBalancer = ''] = referencesIn(Properties.LoadBalancerArn);
    const groups = [...referencesIn(Properties.DefaultActions)].filter(
      (id) => Resources[id]?.Type === 'AWS::ElasticLoadBalancingV2::TargetGroup',
    );
    return [
      {
        logicalId,
        port: String(Properties.Port),
        loadBalancer: identity(loadBalancer),
        targetGroups: groups.map(identity),
      },
    ];
  });
}
