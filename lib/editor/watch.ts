/** Only in builds of watch mode: reloads the editor when the runtime came back with a new build. */

const EVERY = 1000;

export function watchBuild(): void {
  let known: string | undefined;
  const look = async (): Promise<void> => {
    const answer = await fetch('holdfast/build', { cache: 'no-store' });
    if (!answer.ok) return;
    const stamp = await answer.text();
    if (known !== undefined && stamp !== known) window.location.reload();
    known = stamp;
  };
  setInterval(() => {
    look().catch(() => undefined);
  }, EVERY);
}
