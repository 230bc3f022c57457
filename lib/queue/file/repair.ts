/** Sets a damaged file aside and brings what can be read of it into a new one. */
import type { Note } from './protocol';
import { setAside } from './folder';

export function repair(path: string, why: string): Note[] {
  const aside = setAside(path);
  return [{ level: 'warn', text: `${path} was damaged (${why}) and set aside as ${aside}.` }];
}
