// Who may do what: oneself, the operators of the account, their API tokens, the accounts of the platform.
import { Link, useSearch } from '@tanstack/react-router';
import { useMay } from '../../app/permissions.ts';
import type { SettingsTab } from '../../app/search.ts';
import { Page } from '../../parts/page.tsx';
import { Accounts } from './accounts.tsx';
import { ApiTokens } from './api-tokens.tsx';
import { Operators } from './operators.tsx';
import { You } from './you.tsx';

const tabs: readonly (readonly [tab: SettingsTab, text: string])[] = [
  ['you', 'You'],
  ['operators', 'Operators'],
  ['tokens', 'API tokens'],
  ['accounts', 'Accounts'],
];

export function SettingsPage() {
  const { tab = 'you' } = useSearch({ from: '/settings' });
  const mayAccounts = useMay('listAccounts');
  return (
    <Page title="Settings">
      <nav className="tabs-list" aria-label="Settings">
        {tabs.map(([name, text]) =>
          name === 'accounts' && !mayAccounts ? null : (
            <Link
              key={name}
              className="tab"
              to="/settings"
              search={{ tab: name }}
              aria-current={name === tab ? 'page' : undefined}
            >
              {text}
            </Link>
          ),
        )}
      </nav>
      {tab === 'you' ? <You /> : null}
      {tab === 'operators' ? <Operators /> : null}
      {tab === 'tokens' ? <ApiTokens /> : null}
      {tab === 'accounts' ? <Accounts /> : null}
    </Page>
  );
}
