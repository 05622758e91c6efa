// The sidebar: where one can go, whether things are live, who one is.
import { Link } from '@tanstack/react-router';
import { IconButton } from '../parts/button.tsx';
import { Brandmark, Icon, type IconName } from '../parts/icon.tsx';
import { ConnectionMark } from './connection-view.tsx';
import { useMay } from './permissions.ts';
import { endSession } from './session.ts';
import { useStore } from './store.ts';
import { chooseTheme, type Theme, theme, themes } from './theme.ts';
import { useWhoami } from './use-one.ts';
import { useRows } from './use-rows.ts';

type Place = '/networks' | '/instances' | '/join' | '/events' | '/approvals' | '/policies' | '/settings';

const overlayPlaces: readonly (readonly [to: Place, text: string, icon: IconName])[] = [
  ['/networks', 'Networks', 'networks'],
  ['/instances', 'Instances', 'instances'],
  ['/join', 'Add an instance', 'join'],
  ['/events', 'Events', 'events'],
];
const governPlaces: readonly (readonly [to: Place, text: string, icon: IconName])[] = [
  ['/approvals', 'Approvals', 'approvals'],
  ['/policies', 'Policies', 'policies'],
  ['/settings', 'Settings', 'settings'],
];

export function Side({ onNavigate }: { readonly onNavigate?: () => void }) {
  return (
    <aside className="side" aria-label="Console">
      <Link to="/networks" className="brand" onClick={onNavigate}>
        <Brandmark />
        Powernode
      </Link>
      <nav aria-label="Main">
        <ul className="nav nav-group">
          {overlayPlaces.map(([to, text, icon]) => (
            <NavItem key={to} to={to} text={text} icon={icon} onNavigate={onNavigate} />
          ))}
        </ul>
        <ul className="nav nav-group">
          {governPlaces.map(([to, text, icon]) => (
            <NavItem key={to} to={to} text={text} icon={icon} onNavigate={onNavigate} />
          ))}
        </ul>
      </nav>
      <div className="side-foot">
        <ConnectionMark />
        <Who />
      </div>
    </aside>
  );
}

interface NavItemProps {
  readonly to: Place;
  readonly text: string;
  readonly icon: IconName;
  readonly onNavigate: (() => void) | undefined;
}

function NavItem({ to, text, icon, onNavigate }: NavItemProps) {
  return (
    <li>
      <Link to={to} className="nav-link" activeOptions={{ includeSearch: false }} onClick={onNavigate}>
        <Icon name={icon} />
        {text}
        {to === '/approvals' ? <PendingCount /> : null}
      </Link>
    </li>
  );
}

function PendingCount() {
  const enabled = useMay('listApprovals');
  const { rows } = useRows('listApprovals', { status: 'pending' }, { enabled });
  if (rows.length === 0) return null;
  return (
    <span className="count">
      {rows.length}
      <span className="sr-only"> pending</span>
    </span>
  );
}

const themeLooks: Readonly<Record<Theme, { readonly icon: IconName; readonly label: string }>> = {
  system: { icon: 'system', label: 'Theme: system' },
  light: { icon: 'sun', label: 'Theme: light' },
  dark: { icon: 'moon', label: 'Theme: dark' },
};

function Who() {
  const { data } = useWhoami();
  const chosen = useStore(theme);
  const next = themes[(themes.indexOf(chosen) + 1) % themes.length] ?? 'system';
  return (
    <div className="row">
      <div className="who grow">
        <span className="who-name">{data?.operator.name ?? '…'}</span>
        <span className="hint">
          {data === undefined ? '' : `${data.operator.role} of ${data.account.name}`}
        </span>
      </div>
      <IconButton {...themeLooks[chosen]} size="small" onClick={() => chooseTheme(next)} />
      <IconButton icon="signOut" label="Sign out" size="small" onClick={() => endSession(null)} />
    </div>
  );
}
