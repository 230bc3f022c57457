/** The connection that a *coordinator* setting names. */
export const COORDINATOR_TYPE = 'holdfast-queue-connection';
