"""The modules of Asterisk: those our files need, and a whole list that boots in a second; pure."""

from __future__ import annotations

from typing import Final

# What our files use, for an operator whose Asterisk loads a list of its own.
NEEDED: Final = (
    *(
        "app_controlplayback",
        "app_dial",
        "app_queue",
        "app_stack",
        "app_userevent",
        "chan_pjsip",
        "format_wav",
    ),
    *("func_callerid", "func_channel", "func_cut", "func_db", "func_logic", "func_sha1", "func_strings"),
    *("pbx_config", "res_agi", "res_manager_devicestate", "res_musiconhold"),
    *("res_pjsip_dtmf_info", "res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user"),
    *("res_pjsip_header_funcs", "res_pjsip_outbound_registration", "res_pjsip_refer", "res_pjsip_registrar"),
)

_GROUPS: Final = {
    "timing, keys, storage of configuration": (
        "res_timing_timerfd res_crypto res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb"
    ),
    "bridges": (
        "bridge_simple bridge_native_rtp bridge_holding bridge_softmix bridge_builtin_features "
        "bridge_builtin_interval_features"
    ),
    "sound": (
        "codec_ulaw codec_alaw codec_a_mu codec_gsm codec_g722 codec_resample format_gsm format_pcm "
        "format_wav format_sln res_musiconhold"
    ),
    "media": "res_rtp_asterisk res_srtp res_http_websocket res_speech res_curl res_geolocation",
    "SIP": (
        "res_pjsip res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_pjsip_acl "
        "res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest "
        "res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_registrar "
        "res_pjsip_outbound_registration res_pjsip_caller_id res_pjsip_header_funcs res_pjsip_nat "
        "res_pjsip_dtmf_info res_pjsip_refer res_pjsip_rfc3326 res_pjsip_diversion res_pjsip_dlg_options "
        "res_pjsip_logger res_pjsip_transport_websocket chan_pjsip func_pjsip_endpoint func_pjsip_contact "
        "func_pjsip_aor"
    ),
    "dialplan": (
        "pbx_config app_dial app_queue app_playback app_controlplayback app_read app_record app_stack "
        "app_bridgewait app_bridgeaddchan app_confbridge app_originate app_channelredirect app_verbose app_echo "
        "app_userevent app_chanspy app_mixmonitor app_exec app_transfer app_blind_transfer "
        "app_attended_transfer app_senddtmf"
    ),
    "functions": (
        "func_channel func_callerid func_cdr func_strings func_logic func_timeout func_global func_math "
        "func_rand func_db func_uri func_uuid func_hangupcause func_groupcount func_cut func_sha1 "
        "func_periodic_hook func_holdintercept func_sorcery"
    ),
    "AGI, manager, records": "res_agi res_manager_devicestate cdr_csv",
}


def modules_whole() -> str:
    """modules.conf of a whole own Asterisk."""
    lines = ["; An explicit list, so that Asterisk boots in a second.", "[modules]", "autoload = no"]
    for group, names in _GROUPS.items():
        lines += [f"; {group}", *(f"load = {name}.so" for name in names.split())]
    return "\n".join(lines) + "\n"
