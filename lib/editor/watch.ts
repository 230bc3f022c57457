/** Only in builds of watch mode: reloads the editor when the runtime came back with a new build. */
import { SHARED } from './specs';

const EVERY = 1000;
/** Watch builds put their time into the plugin's catalogue, which a restarted runtime serves anew. */
const CATALOGUES = 'plugins/messages?lng=en-US';

export function watchBuild(): void {
  let known: string | undefined;
  const look = async (): Promise<void> => {
    const answer = await fetch(CATALOGUES, { cache: 'no-store', headers: { Accept: 'application/json' } });
    if (!answer.ok) return;
    const all = (await answer.json()) as Readonly<Record<string, { readonly build?: string } | undefined>>;
    const stamp = all[SHARED]?.build;
    if (stamp === undefined) return;
    if (known !== undefined && stamp !== known) window.location.reload();
    known = stamp;
  };
  setInterval(() => {
    look().catch(() => undefined);
  }, EVERY);
}
