/* Where the local system keeps its things, seen from the project's root: what sensorforge starts
 * and sensorhub and the broker's plugin work in. The folder is 0700 and never committed. */
#ifndef COMMON_BASE_PATHS_H
#define COMMON_BASE_PATHS_H

#define LOCAL_FOLDER "iot_system_infra/local"
#define BROKER_CONFIGURATION LOCAL_FOLDER "/mosquitto.conf"
#define BROKER_FOLDER LOCAL_FOLDER "/broker"     /* its certificate, its key, its persistence */
#define BROKER_PLUGIN BROKER_FOLDER "/plugin.so" /* a link to sensorforge_broker.so */
#define HUB_FOLDER LOCAL_FOLDER "/hub" /* certificate and key of the system's own client */
#define SPOOL_FOLDER LOCAL_FOLDER "/spool"
#define DATABASE_FILE LOCAL_FOLDER "/central.sqlite"
#define LOG_FOLDER LOCAL_FOLDER "/log" /* mosquitto.log, sensorhub.log */
#define RUN_FOLDER LOCAL_FOLDER "/run" /* mosquitto.pid, sensorhub.pid, sensorhub.status.json */
#define HUB_PID RUN_FOLDER "/sensorhub.pid"
#define HUB_STATUS RUN_FOLDER "/sensorhub.status.json"
#define AUTHORITY_FOLDER                                                                           \
    "iot_system_infra/authority" /* ca.pem, crl.pem; see generator/targets/local.c */
#define TYPES_ROOT "sensortypes"

/* A type is plugged in when it has deployed.json; these are the documents that AWS would get. */
#define TYPE_MARK TYPES_ROOT "/%s/deployed.json"
#define TYPE_DOCUMENTS TYPES_ROOT "/%s/generated/awscli"
#define TYPE_DOCUMENT                                                                              \
    TYPES_ROOT "/%s/generated/awscli/%s.json" /* policy, rule, invalid-rule, ... */

#endif
