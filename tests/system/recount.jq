# SPDX-License-Identifier: LGPL-2.1-or-later
# recount.jq - the figures of a report, counted again from nothing but the journal, `journalctl -o json`
# of what user credd sent: `jq -s --argjson since USEC --argjson until USEC -f`. It shares nothing with
# credctl but the names of the fields. Entries that were sent again after a crash count once.
def of($event): map(select(.CREDD_EVENT == $event));
def within: map(select((.__REALTIME_TIMESTAMP | tonumber) as $t | $t >= $since and $t < $until));
def ids: map(.CREDD_CREDENTIAL) | unique;
def sum($field): map(.[$field] | tonumber) | add // 0;

map(select(.CREDD_SEQ)) | unique_by(.CREDD_SEQ | tonumber)
| . as $all
| ($all | of("credential-issued") | ids) as $issued
| ($all | of("credential-deprovisioned")) as $receipts
| ($all | of("session-opened")) as $opened
| {
    credentials: ($issued | length),
    sessions: ($opened | length),
    logins_accepted: ($all | within | of("login-accepted") | length),
    logins_refused: ($all | within | of("login-refused") | sum("CREDD_COUNT")),
    confirmed: ($receipts | map(select(.CREDD_VERDICT == "confirmed")) | length),
    late: ($receipts | map(select(.CREDD_VERDICT == "late")) | length),
    residue: ($receipts | map(select(.CREDD_VERDICT == "residue")) | length),
    open: ($issued - ($receipts | ids) | length),
    extensions: ($all | within | of("credential-extended") | length),
    lateness: ($receipts | map({ (.CREDD_CREDENTIAL): (.CREDD_LATE_USEC | tonumber) }) | add)
  }
