import type { Call } from '../../lib/core';
import { readRequest } from './requests';
import type { Session } from './session';

/**
 * Reads one register. Any answer proves that the peer lives, an exception too; and so does anything else that
 * arrives meanwhile, because the unit that is asked may be the one behind the gateway that is switched off.
 */
export function ping(session: Session, { scope }: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const { unit, read } = session.pingTarget();
    const before = session.heardAt;
    const request = readRequest(unit, read.area, read.address, 1, (failure) => {
      removeAbort();
      if (!failure || 'exception' in failure.details || session.heardAt > before) resolve();
      else reject(failure);
    });
    const removeAbort = scope.onAbort((reason) => {
      request.cancelled = true;
      reject(reason);
    });
    if (!request.cancelled) session.submit([request]);
  });
}
