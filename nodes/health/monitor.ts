/** The health node: reports the state of connections and raises alerts. */
import type { Timer } from '../../lib/core';
import { defineMonitor } from '../../lib/roles';
import { fields } from './fields';
import { selectReports, statusLevel, statusText, summarize, type HealthSummary } from './report';
import { AlertRules } from './rules';

/** Changes that come together (a switch fails, ten links fall) share one message. */
const GATHER_MS = 100;
/** How often the rules look: rates and durations change without any event. */
const CHECK_MS = 1000;

export const monitor = defineMonitor({
  type: 'holdfast-health',
  version: 1,
  label: 'health',
  summary: 'Reports the state of connections on change and on an interval, and raises and clears alerts.',
  details: `Output 1 sends a report: \`payload.state\` is the worst state of all watched connections,
\`payload.connections\` lists them, \`payload.missing\` names connections that do not exist, and
\`payload.alerts\` holds the alerts that are active now. \`msg.reason\` is \`start\`, \`change\` or \`interval\`.

Output 2 sends an alert when it is raised and once more, with the same \`payload.id\`, when it is cleared.`,
  outputs: ['Report', 'Alerts'],
  fields,
  start({ config, board, clock, scope, emit, note }) {
    const alerts = new AlertRules(config.rules, clock);
    const timers = new Map<string, Timer>();
    const later = (name: string, ms: number, fn: () => void): void => {
      timers.get(name)?.cancel();
      timers.set(
        name,
        clock.timer(ms, () => {
          timers.delete(name);
          if (!scope.aborted) fn();
        }),
      );
    };

    const look = (): HealthSummary => {
      const reports = selectReports(board.reports(), config.connections);
      const changes = alerts.check(reports);
      const summary = summarize(reports, config.connections, alerts.active);
      note(statusText(summary), statusLevel(summary));
      for (const alert of changes) emit({ topic: `alert/${alert.rule}`, payload: alert }, 1);
      return summary;
    };
    const report = (reason: 'start' | 'change' | 'interval'): void => {
      const { interval } = config;
      if (interval !== undefined) later('interval', interval, () => report('interval'));
      emit({ topic: 'health', reason, payload: look() }, 0);
    };
    const check = (): void => {
      later('check', CHECK_MS, check);
      look();
    };

    const unsubscribe = board.onChange(() => {
      if (!timers.has('gather')) later('gather', GATHER_MS, () => report('change'));
    });
    later('gather', GATHER_MS, () => report('start'));
    later('check', CHECK_MS, check);
    return () => {
      unsubscribe();
      for (const timer of timers.values()) timer.cancel();
      timers.clear();
    };
  },
});
