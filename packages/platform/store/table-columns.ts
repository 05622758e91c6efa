// Columns that rows of many tables have, as types.
import type { AccountId } from '@powernode/core/ids';
import type { ColumnType, Generated } from 'kysely';

export type Json<T> = ColumnType<T, string, string>;
export type Made = Generated<Date>;

export interface Stored<Key extends string = string> {
  id: Key;
  created_at: Made;
  updated_at: Made;
  revision: Generated<number>;
}
export interface Owned<Key extends string = string> extends Stored<Key> {
  account_id: AccountId;
}
