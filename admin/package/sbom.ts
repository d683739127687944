/** The software bill of materials of a package, in CycloneDX 1.6: the one file that knows its library. */
import { ComponentType, HashAlgorithm } from '@cyclonedx/cyclonedx-library/Enums';
import {
  Bom,
  Component as BomComponent,
  HashDictionary,
  type License,
  LicenseExpression,
  LicenseRepository,
  SpdxLicense,
} from '@cyclonedx/cyclonedx-library/Models';
import { JSON as Json, JsonSerializer } from '@cyclonedx/cyclonedx-library/Serialize';
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec';
import type { Component, Components } from './payload.ts';
import type { RegistryPackage } from './platforms.ts';

export type BillOfMaterialsInput = {
  /** Version of the programs. */
  readonly build: string;
  readonly components: Components;
  /** The platform as Node.js names it. */
  readonly platform: string;
  /** The Node.js that comes along; undefined: none does. */
  readonly runtime: RegistryPackage | undefined;
};

/** License of Node.js as its project declares it. */
const RUNTIME_LICENSE = 'MIT';

/**
 * Returns the text of sbom.json: every component with its Package URL, its licence and the hash of its tarball in
 * the npm registry. It has no serial number and no time, so equal packages have equal bills.
 */
export function buildBillOfMaterials({ build, components, platform, runtime }: BillOfMaterialsInput): string {
  const fetched = components.fetched[platform];
  const listed: Component[] = [
    ...components.bundled,
    // koffi depends on a package per platform; only this platform's is shipped.
    ...components.native.map((native) =>
      fetched && native.name === 'koffi' ? { ...native, dependencies: [refOf(fetched)] } : native,
    ),
    ...(fetched ? [fetched] : []),
  ];
  const bom = new Bom();
  const made = new Map(
    listed.map((component) => [refOf(component), createComponent(component, ComponentType.Library)]),
  );
  for (const component of listed) {
    for (const ref of component.dependencies) {
      const needed = made.get(ref);
      if (needed) made.get(refOf(component))?.dependencies.add(needed.bomRef);
    }
  }
  const whole = new BomComponent(ComponentType.Application, 'claude-code-with-bedrock', {
    bomRef: 'claude-code-with-bedrock',
    version: build,
    licenses: new LicenseRepository([new SpdxLicense('MIT')]),
  });
  if (runtime) {
    const node = { ...runtime, license: RUNTIME_LICENSE, dependencies: [] };
    made.set(refOf(node), createComponent(node, ComponentType.Platform));
  }
  const needed = new Set(listed.flatMap(({ dependencies }) => dependencies));
  for (const [ref, component] of made) {
    bom.components.add(component);
    if (!needed.has(ref)) whole.dependencies.add(component.bomRef);
  }
  bom.metadata.component = whole;
  const serializer = new JsonSerializer(new Json.Normalize.Factory(Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function createComponent(component: Component, type: ComponentType): BomComponent {
  const { name, version, license, integrity } = component;
  const [, group, bare = name] = /^@([^/]+)\/(.+)$/.exec(name) ?? [];
  return new BomComponent(type, bare, {
    bomRef: refOf(component),
    ...(group !== undefined && { group: `@${group}` }),
    version,
    licenses: new LicenseRepository([licenseOf(license)]),
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    hashes: new HashDictionary([
      [HashAlgorithm['SHA-512'], Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex')],
    ]),
  });
}

function licenseOf(expression: string): License {
  return /[\s()]/.test(expression) ? new LicenseExpression(expression) : new SpdxLicense(expression);
}

function refOf({ name, version }: Pick<Component, 'name' | 'version'>): string {
  return `${name}@${version}`;
}
