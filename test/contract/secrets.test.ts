/** A canary in every credential field appears nowhere: log, status, error, message, metrics, health, flows. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isExpected } from '../helpers/services';
import { allFields } from '../../lib/roles/framework-fields';
import type { ConnectorDeclaration } from '../../lib/roles';
import type { RawConfig } from '../../lib/spec';
import { leadTo } from './samples';
import { allStations, Rig } from './rig';
import { SYSTEMS, type System } from './systems';
import { conditionsOf } from './wrong-values';

/** Fills what the kind of credential needs beside its secrets; nobody listens at this address. */
const COMPANIONS: RawConfig = {
  username: 'contract-user',
  tokenUrl: 'https://127.0.0.1:9/token',
  clientId: 'contract-client',
  scope: '',
};

for (const system of SYSTEMS) {
  const { connector, contract } = system;
  if (!connector || (contract.server && !isExpected(contract.server.service))) continue;
  const fields = allFields(connector);
  const secrets = Object.keys(fields).filter((name) => fields[name]?.kind === 'secret');

  describe(`contract: secrets of ${connector.type}`, () => {
    for (const name of secrets) {
      it(`shows ${name} to nobody`, async () => {
        const canary = `c4n4ry-${name}-Zx9+/=\u00e9`;
        const rig = await startWith(system, connector, name, canary);
        try {
          await provoke(rig, system);
          const everything = await everythingSaid(rig);
          for (const [form, text] of forms(canary)) {
            const at = everything.indexOf(text);
            assert.ok(at < 0, `as ${form}: ${everything.slice(Math.max(0, at - 200), at + 100)}`);
          }
        } finally {
          await rig.stop();
        }
      });
    }
  });
}

async function startWith(
  system: System,
  connector: ConnectorDeclaration,
  name: string,
  canary: string,
): Promise<Rig> {
  const fields = allFields(connector);
  const condition = conditionsOf(fields, name, {});
  const companions = Object.fromEntries(Object.entries(COMPANIONS).filter(([field]) => field in fields));
  return Rig.start({
    system,
    connector,
    connection: (peer) => ({ ...companions, ...leadTo(system, connector, peer), ...condition }),
    credentials: allSecrets(Object.keys(fields), fields, name, canary),
    samples: allStations(system)
      .slice(0, 1)
      .map((station) => station.sample),
  });
}

/** The canary in its field; other secrets of the same kind of credential hold a word, so that it is complete. */
function allSecrets(
  names: readonly string[],
  fields: ReturnType<typeof allFields>,
  name: string,
  canary: string,
): Record<string, string> {
  const condition = JSON.stringify(fields[name]?.showWhen ?? {});
  const same = names.filter((one) => {
    const field = fields[one];
    return field?.kind === 'secret' && field.showWhen && JSON.stringify(field.showWhen) === condition;
  });
  return { ...Object.fromEntries(same.map((one) => [one, 'word-of-another-field'])), [name]: canary };
}

/** Success where the settings allow it, then what makes libraries print what they hold. */
async function provoke(rig: Rig, system: System): Promise<void> {
  const send = async (): Promise<void> => {
    await rig.done(rig.adapters.map((station) => rig.send(station)));
  };
  await send();
  for (const fault of [{ kind: 'garbage', seed: 3 }, { kind: 'cut' }, { kind: 'refused' }] as const) {
    await rig.proxy.set(fault);
    await send();
  }
  await rig.proxy.clear();
  const guard = await system.contract.authRefused?.();
  if (!guard) return;
  rig.proxy.retarget(guard);
  await send();
  await guard.close();
}

async function everythingSaid({ red }: Rig): Promise<string> {
  const { record } = red;
  const pages = await Promise.all(
    ['/flows', '/holdfast/health', '/holdfast/metrics', '/nodes'].map(async (path) => {
      const response = await fetch(`${red.url}${path}`, { headers: { accept: 'application/json' } });
      return response.text();
    }),
  );
  const seen = [record.logs, record.completions, record.allStatuses(), record.allMessages()].map((one) =>
    inspect(one, { depth: 12, maxStringLength: Infinity, maxArrayLength: Infinity }),
  );
  return [...pages, ...seen, ...files(red.userDir)].join('\n');
}

/** Everything that was written, beside Node-RED's own encrypted credentials. */
function files(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
}

function forms(canary: string): readonly (readonly [string, string])[] {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return [
    ['plain text', canary],
    ['plain text without its last letter', canary.slice(0, -1)],
    ['URL encoding', encodeURIComponent(canary)],
    ['base64', base64(canary)],
    ['basic authorization', base64(`contract-user:${canary}`)],
    ['bytes', [...Buffer.from(canary)].map((byte) => byte.toString(16)).join(' ')],
  ];
}
