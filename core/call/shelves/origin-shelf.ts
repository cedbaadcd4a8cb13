/**
 * A shelf as something that memoised functions are made from. How it stands is asked of its store at every call: so that
 * what another process invalidated counts, and what is kept nowhere counts for this process alone.
 */
import { SELF } from '../../store/owner.ts';
import type { Origin } from '../follower.ts';
import type { Epochs } from './dependents/epochs.ts';
import type { Member } from './dependents/membership.ts';
import { closed } from './shelf-errors.ts';

/** The manager of the shelf, as far as it matters. */
interface OriginManager {
  readonly name: string;
  readonly isClosed: boolean;
  readonly epochs: Epochs;
  readonly members: ReadonlyMap<string, Member>;
}

export class OriginShelf implements Origin {
  readonly name: string;
  readonly #shelf: string;
  readonly #manager: OriginManager;

  constructor(shelf: string, manager: OriginManager) {
    this.name = `shelf:${manager.name.replaceAll('%', '%25').replaceAll('/', '%2F')}/${shelf}`;
    this.#shelf = shelf;
    this.#manager = manager;
  }

  epoch(): string {
    const { name, isClosed, epochs, members } = this.#manager;
    if (isClosed) throw closed(`manager "${name}"`);
    // In this order: what is invalidated in between is then filed where nobody looks any more.
    const mark = epochs.mark(this.#shelf);
    const member = members.get(this.#shelf);
    if (member === undefined) return mark;
    member.catchUp();
    return member.keeps ? mark : `${mark} ${lifeOf(member)}`;
  }
}

/** Contents that are kept nowhere live as long as their handle: its number in this process. */
const lives = new WeakMap<Member, string>();
let count = 0;

function lifeOf(member: Member): string {
  let life = lives.get(member);
  if (life === undefined) {
    life = `${SELF.id} ${++count}`;
    lives.set(member, life);
  }
  return life;
}
