// Says whether what is on the screen is true now: a small mark while all is well, a banner when the line is lost.
import { Button } from '../parts/button.tsx';
import { useNow } from '../parts/clock.ts';
import { formatClock, formatDuration } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { Status, type StatusProps } from '../parts/status.tsx';
import { type Connection, connection } from './connection.ts';
import { retryNow } from './live.ts';
import { useStore } from './store.ts';

const looks: Readonly<Record<Connection['state'], StatusProps>> = {
  connecting: { tone: 'info', shape: 'half', text: 'Connecting', moving: true },
  live: { tone: 'ok', shape: 'full', text: 'Live', hint: 'Changes appear as they happen' },
  polling: {
    tone: 'wait',
    shape: 'ring',
    text: 'Polling',
    hint: 'Refreshed every few seconds: this token lacks the permission to stream events',
  },
  lost: { tone: 'bad', shape: 'triangle', text: 'Disconnected' },
};

export function ConnectionMark() {
  const { state } = useStore(connection);
  return (
    <span className="connection">
      <Status {...looks[state]} />
    </span>
  );
}

export function ConnectionBanner() {
  const { state, heardAt, retryAt } = useStore(connection);
  // Only to be drawn again each second.
  useNow();
  if (state !== 'lost') return null;
  const wait = retryAt === null ? null : retryAt - Date.now();
  return (
    <div className="banner" role="alert">
      <Icon name="offline" />
      <span>
        Disconnected —{' '}
        {heardAt === null ? 'the platform has not answered yet' : `showing data from ${formatClock(heardAt)}`}
      </span>
      <span className="num" aria-hidden="true">
        {wait === null || wait < 500 ? 'Reconnecting…' : `Retry in ${formatDuration(wait + 999)}`}
      </span>
      <Button size="small" icon="refresh" onClick={retryNow}>
        {' '}
        Retry now
      </Button>
    </div>
  );
}
