/** The types of what the framework hands to `open`. */
import type { OpenContext } from '../../lib/roles';
import type { Fields } from '../../lib/spec';

export type Auth = OpenContext<Fields>['auth'];
export type AuthParts = Awaited<ReturnType<Auth['parts']>>;
export type TlsOptions = NonNullable<OpenContext<Fields>['tls']>;
