# SPDX-License-Identifier: LGPL-2.1-or-later
# recount.jq - the figures of a report, counted again from nothing but the journal, `journalctl -o json`
# of what user credd sent: `jq -s --argjson since USEC --argjson until USEC -f`. It shares nothing with
# credctl but the names of the fields. Entries that were sent again after a crash count once. Drills are
# nobody's access: they are counted, and left out everywhere else.
def of($event): map(select(.CREDD_EVENT == $event));
def within: map(select((.__REALTIME_TIMESTAMP | tonumber) as $t | $t >= $since and $t < $until));
def ids: map(.CREDD_CREDENTIAL) | unique;
def sum($field): map(.[$field] | tonumber) | add // 0;

map(select(.CREDD_SEQ)) | unique_by(.CREDD_SEQ | tonumber)
| . as $every
| (of("credential-issued") | map(select(.CREDD_KIND == "drill")) | ids) as $drills
| map(select(.CREDD_CREDENTIAL as $id | $drills | index([$id]) | not))
| . as $all
| ($all | of("credential-issued") + of("credential-collected") | ids) as $issued
| ($all | of("credential-requested") | ids) as $requested
| ($all | of("credential-deprovisioned")) as $receipts
| {
    credentials: ($issued | length),
    requests: ($requested | length),
    not_issued: ($requested - $issued | length),
    sessions: ($all | of("session-opened") | length),
    logins_accepted: ($all | within | of("login-accepted") | length),
    logins_refused: ($all | within | of("login-refused") | sum("CREDD_COUNT")),
    actions_refused: ($every | within | of("action-refused") | sum("CREDD_COUNT")),
    confirmed: ($receipts | map(select(.CREDD_VERDICT == "confirmed")) | length),
    late: ($receipts | map(select(.CREDD_VERDICT == "late")) | length),
    residue: ($receipts | map(select(.CREDD_VERDICT == "residue")) | length),
    open: ($issued - ($receipts | ids) | length),
    extensions: ($all | within | of("credential-extended") | length),
    break_glass: ($all | of("break-glass-used") | ids | length),
    drills: ($drills | length),
    lateness: ($receipts | map({ (.CREDD_CREDENTIAL): (.CREDD_LATE_USEC | tonumber) }) | add)
  }
