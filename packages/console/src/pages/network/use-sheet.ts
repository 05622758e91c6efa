// Which object's sheet is open over the page of a network: its address says so, so that it can be sent to somebody.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { SheetNoun } from '../../app/search.ts';

const from = '/networks/$networkId' as const;

export interface SheetPlace {
  readonly id: string | null;
  open(id: string): void;
  close(): void;
}

export function useSheet(noun: SheetNoun): SheetPlace {
  const navigate = useNavigate();
  const { networkId } = useParams({ from });
  const search = useSearch({ from });
  const go = (next: typeof search) => void navigate({ to: from, params: { networkId }, search: next });
  return {
    id: search[noun] ?? null,
    open: (id) => go({ ...search, [noun]: id }),
    close() {
      const { [noun]: _, ...rest } = search;
      go(rest);
    },
  };
}

/** When a form is done: closes it, and opens the sheet of what it made; null: that waits for approval. */
export function openAfter(close: () => void, sheet: SheetPlace) {
  return (made: { readonly id: string } | null): void => {
    close();
    if (made !== null) sheet.open(made.id);
  };
}
