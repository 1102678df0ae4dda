"""A cafe has a slug and a number. Result lists show the slug, people often paste the number."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

LEARN = text("""
    INSERT INTO cafes (slug, club_id) VALUES (:slug, :club_id)
    ON CONFLICT (slug) DO UPDATE SET club_id = excluded.club_id, learned_at = clock_timestamp()
""")

SLUGS_OF = text("SELECT club_id, slug FROM cafes WHERE club_id = ANY(CAST(:club_ids AS text[]))")

# All in one go and in the order in which everybody locks trackings; a club's are found by an index of its own.
LOCK = text("""
    SELECT id FROM trackings
    WHERE id IN (SELECT unnest(CAST(:ids AS bigint[]))
                 UNION SELECT id FROM trackings
                 WHERE target_key LIKE 'club:%' AND split_part(target_key, '/', 1) = ANY(CAST(:clubs AS text[])))
    ORDER BY id FOR UPDATE
""")

# A tracking that was registered by the number of its cafe is kept by slug from now on, unless its owner already
# follows the same article by slug in the same search.
ADOPT_SLUG = text("""
    UPDATE trackings AS t
    SET target_key = 'cafe:' || CAST(:slug AS text) || substr(t.target_key, strpos(t.target_key, '/')),
        target_url = 'https://cafe.naver.com/' || CAST(:slug AS text) || substr(t.target_key, strpos(t.target_key, '/'))
    WHERE t.id = ANY(CAST(:ids AS bigint[])) AND split_part(t.target_key, '/', 1) = :club
      AND NOT EXISTS (
          SELECT FROM trackings AS other
          WHERE other.owner = t.owner AND other.search_id = t.search_id AND other.status = 'active'
            AND other.target_key
                = 'cafe:' || CAST(:slug AS text) || substr(t.target_key, strpos(t.target_key, '/')))
""")


class Cafes:
    """Rows of `cafes`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def learn(self, same_cafe: Mapping[str, str], *, beside: Collection[int] = ()) -> None:
        """Keep pairs of slug and club id, and name the trackings of these clubs by slug.

        Locks these trackings and, with them, those of `beside`: the caller means to write to them in this transaction.
        """
        clubs = {slug: f"club:{club_id}" for slug, club_id in sorted(same_cafe.items())}
        for slug in clubs:
            self._connection.execute(LEARN, {"slug": slug, "club_id": same_cafe[slug]})
        locked = self._connection.execute(LOCK, {"ids": sorted(beside), "clubs": list(clubs.values())})
        ids = list(locked.scalars())
        for slug, club in clubs.items():
            self._connection.execute(ADOPT_SLUG, {"slug": slug, "club": club, "ids": ids})

    def slugs_of(self, club_ids: Collection[str]) -> dict[str, str]:
        """The slug of each club id that is known."""
        if not club_ids:
            return {}
        rows = self._connection.execute(SLUGS_OF, {"club_ids": sorted(club_ids)})
        return {row.club_id: row.slug for row in rows}
