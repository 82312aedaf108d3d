"""What the expressions do, as somebody would write it for DuckDB alone."""

from typing import Final

EDGES: Final = """
WITH flows AS (
    SELECT *,
        coalesce(is_reply, false) AS turned,
        initiator = 'known' OR is_reply IS NOT NULL OR coalesce(opens, false) AS known,
        (src_ip, src_port) > (dst_ip, dst_port) AS flip,
        coalesce(end_time, time) AS ends,
        observer IN ('dst', 'both', 'node', 'learned') AS final
    FROM read_parquet($files)
), rows AS (
    SELECT adapter, date_trunc('hour', time) AS hour, time, ends, proto, known, turned, verdict,
        observer, final, bytes, count, sample_rate, obs_id, svc_ns, svc_name, svc_port,
        CASE WHEN len(names) > 0 THEN names[1] END AS name, flip = turned AS forth,
        CASE WHEN flip THEN dst_ip ELSE src_ip END AS one_ip,
        CASE WHEN flip THEN dst_port ELSE src_port END AS one_port,
        CASE WHEN flip THEN src_ip ELSE dst_ip END AS two_ip,
        CASE WHEN flip THEN src_port ELSE dst_port END AS two_port,
        CASE WHEN flip THEN dst_cluster ELSE src_cluster END AS one_cluster,
        CASE WHEN flip THEN dst_ns ELSE src_ns END AS one_ns,
        CASE WHEN flip THEN dst_workload ELSE src_workload END AS one_workload,
        CASE WHEN flip THEN dst_kind ELSE src_kind END AS one_kind,
        CASE WHEN flip THEN dst_pod ELSE src_pod END AS one_pod,
        CASE WHEN flip THEN dst_labels ELSE src_labels END AS one_labels,
        CASE WHEN flip THEN dst_entity ELSE src_entity END AS one_entity,
        CASE WHEN flip THEN src_cluster ELSE dst_cluster END AS two_cluster,
        CASE WHEN flip THEN src_ns ELSE dst_ns END AS two_ns,
        CASE WHEN flip THEN src_workload ELSE dst_workload END AS two_workload,
        CASE WHEN flip THEN src_kind ELSE dst_kind END AS two_kind,
        CASE WHEN flip THEN src_pod ELSE dst_pod END AS two_pod,
        CASE WHEN flip THEN src_labels ELSE dst_labels END AS two_labels,
        CASE WHEN flip THEN src_entity ELSE dst_entity END AS two_entity
    FROM flows
), connections AS (
    SELECT adapter, hour, proto, one_ip, one_port, two_ip, two_port,
        bool_or(known AND forth) AS forth, bool_or(known AND NOT forth) AS back,
        max(one_cluster) AS one_cluster, max(one_ns) AS one_ns, max(one_workload) AS one_workload,
        max(one_kind) AS one_kind, max(one_pod) AS one_pod, max(one_labels) AS one_labels,
        coalesce(min(nullif(one_entity, 'unknown')), 'unknown') AS one_entity,
        max(two_cluster) AS two_cluster, max(two_ns) AS two_ns, max(two_workload) AS two_workload,
        max(two_kind) AS two_kind, max(two_pod) AS two_pod, max(two_labels) AS two_labels,
        coalesce(min(nullif(two_entity, 'unknown')), 'unknown') AS two_entity,
        bool_or(verdict = 'denied' AND NOT turned AND observer <> 'proxy') AS denied,
        sum((verdict = 'denied' AND NOT turned AND observer = 'proxy')::INT) AS refused,
        bool_or(verdict = 'audited' AND NOT turned) AS audited,
        bool_or(verdict = 'error' OR (verdict = 'denied' AND turned)) AS error,
        bool_or(verdict = 'allowed' AND (turned OR final)) AS settled,
        bool_or(verdict = 'allowed' AND NOT turned AND NOT final) AS let_go,
        max(count) AS count, min(time) AS first, max(ends) AS last,
        greatest(coalesce(sum(bytes) FILTER (observer = 'src'), 0),
                 coalesce(sum(bytes) FILTER (observer <> 'src'), 0)) AS bytes,
        max(sample_rate) AS sample_rate, max(obs_id) AS sample, min(name) AS dst_name,
        max(CASE WHEN NOT turned THEN svc_ns END) AS svc_ns,
        max(CASE WHEN NOT turned THEN svc_name END) AS svc_name,
        max(CASE WHEN NOT turned THEN svc_port END) AS svc_port
    FROM rows GROUP BY ALL
), oriented AS (
    SELECT *, back AND NOT forth AS swap, forth <> back AS sure,
        CASE WHEN denied THEN 'denied' WHEN audited THEN 'audited' WHEN settled THEN 'allowed'
             WHEN error THEN 'error' WHEN let_go THEN 'unknown' WHEN refused > 0 THEN 'denied'
             ELSE 'unknown' END AS verdict
    FROM connections
), edge AS (
    SELECT adapter, hour, epoch(date_trunc('minute', first))::BIGINT // 300 AS stretch,
        CASE WHEN swap THEN two_cluster ELSE one_cluster END AS src_cluster,
        CASE WHEN swap THEN two_ns ELSE one_ns END AS src_ns,
        CASE WHEN swap THEN two_workload ELSE one_workload END AS src_workload,
        CASE WHEN swap THEN two_kind ELSE one_kind END AS src_kind,
        CASE WHEN swap THEN two_labels ELSE one_labels END AS src_labels,
        CASE WHEN swap THEN two_entity ELSE one_entity END AS src_entity,
        CASE WHEN swap THEN one_cluster ELSE two_cluster END AS dst_cluster,
        CASE WHEN swap THEN one_ns ELSE two_ns END AS dst_ns,
        CASE WHEN swap THEN one_workload ELSE two_workload END AS dst_workload,
        CASE WHEN swap THEN one_kind ELSE two_kind END AS dst_kind,
        CASE WHEN swap THEN one_labels ELSE two_labels END AS dst_labels,
        CASE WHEN swap THEN one_entity ELSE two_entity END AS dst_entity,
        dst_name, proto,
        CASE WHEN sure THEN CASE WHEN swap THEN one_port ELSE two_port END END AS port,
        verdict, CASE WHEN sure THEN 'known' ELSE 'unknown' END AS initiator,
        sum(count) AS count,
        sum(CASE WHEN verdict = 'unknown' AND let_go THEN count END) AS halfway,
        sum(refused) AS refused, sum(bytes) AS bytes, min(first) AS first, max(last) AS last,
        max(sample_rate) AS sample_rate, max(sample) AS sample, max(svc_ns) AS svc_ns,
        max(svc_name) AS svc_name, max(svc_port) AS svc_port,
        max(CASE WHEN swap THEN two_pod ELSE one_pod END) AS src_pod,
        max(CASE WHEN swap THEN one_pod ELSE two_pod END) AS dst_pod
    FROM oriented GROUP BY ALL
), hourly AS (
    SELECT * EXCLUDE (stretch, count, halfway, refused, bytes, first, last, sample_rate, sample,
                      svc_ns, svc_name, svc_port, src_pod, dst_pod),
        count(*) AS windows, sum(count) AS count, sum(halfway) AS halfway,
        sum(refused) AS refused, sum(bytes) AS bytes, min(first) AS first, max(last) AS last
    FROM edge GROUP BY ALL
)
SELECT * EXCLUDE (hour, windows, count, halfway, refused, bytes, first, last),
    count(*) AS hours, sum(windows)::BIGINT AS windows, sum(count)::BIGINT AS count,
    coalesce(sum(halfway), 0)::BIGINT AS halfway, sum(refused)::BIGINT AS refused,
    sum(bytes)::BIGINT AS bytes, min(first) AS first, max(last) AS last
FROM hourly GROUP BY ALL
"""
"""Edges of flows with addresses and ports, whose ends are named; `$files` are Parquet files."""
