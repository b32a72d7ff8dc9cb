/* AWS IoT's data plane: the operations on connections. Shapes: the IoT data plane's API reference,
 * botocore's iot-data model. */
#ifndef AWS_IOT_DATA_H
#define AWS_IOT_DATA_H

#include "aws.h"

/* Ends the connection of the MQTT client with this id, and deletes its session: subscriptions and
 * queued messages. The client's last will is published. host: the account's endpoint
 * (iot_describe_endpoint()). It does not keep the client from connecting again: its certificate is
 * made inactive first ("Disconnecting clients using the DeleteConnection API", IoT developer guide).
 * ResourceNotFoundException: it is not connected and has no session. */
void iot_data_delete_connection(struct aws *aws, struct aws_call *call, const char *host,
                                const char *client_id);

#endif
