package sqlserver

import (
	"runtime"
	"strconv"
	"strings"

	"halley/storage"
)

// advice says what to do about a code, a line for each thing.
func (d *diagnosis) advice(code string) []string {
	if d.target == nil {
		return nil
	}
	instance := d.target.config.Instance
	if instance == "" {
		instance = "MSSQLSERVER"
	}
	reason, isCertificate := strings.CutPrefix(code, CodeCertificate)
	if isCertificate {
		return d.certificateAdvice(distrust(reason), instance)
	}
	switch code {
	case CodeNameUnknown:
		return []string{"Write the full name, such as db1.example.org, or the IP address; ask a name server: nslookup " + d.target.config.Host}
	case CodeInstanceUnknown:
		return []string{
			"On the machine of SQL Server start the service \"SQL Server Browser\", set it to start automatically, and let UDP " + browserPort + " in.",
			"Or find the port (SQL Server Configuration Manager > Protocols for " + instance + " > TCP/IP > IP Addresses > IPAll) and write it instead of the instance: sqlserver://USER@HOST:PORT",
		}
	case CodeRefused:
		return d.memoryAdvice([]string{
			"On the machine of SQL Server see that the service \"SQL Server (" + instance + ")\" runs.",
			"In SQL Server Configuration Manager > SQL Server Network Configuration > Protocols for " + instance + " enable TCP/IP: Express installs with it off.",
			"There, in the properties of TCP/IP > IP Addresses > IPAll, empty \"TCP Dynamic Ports\" and write " + strconv.Itoa(defaultPort) + " as \"TCP Port\".",
			"Restart the service \"SQL Server (" + instance + ")\".",
		})
	case CodeNoAnswer:
		return []string{
			"Let the port in through the firewall of the machine of SQL Server, in PowerShell as administrator:",
			"  New-NetFirewallRule -DisplayName \"SQL Server\" -Direction Inbound -Protocol TCP -LocalPort " + d.dialPort + " -Action Allow",
			"Ask whether a firewall stands between the two networks.",
		}
	case CodeNoEncryption:
		return d.memoryAdvice([]string{
			"See that SQL Server has its newest updates (TLS 1.2), and that the port is the one of SQL Server.",
		})
	case CodeLogin:
		return []string{
			"The error log of SQL Server says the reason (error 18456 with its state).",
			"For a login with a password: server properties > Security > \"SQL Server and Windows Authentication mode\", then restart the service.",
		}
	case CodeKerberos:
		return []string{
			"Try the keytab: kinit -kt FILE ACCOUNT@REALM. Both clocks may differ by five minutes at most.",
			"See that the service principal name is registered: setspn -L ACCOUNT-OF-SQL-SERVER shows MSSQLSvc/HOST:PORT",
		}
	case CodeNoDatabase, CodePermission, storage.CodeNoSchema, storage.CodeOlderSchema:
		return []string{"Run halley init with the login of the owner; it creates the database and grants the rights. With --dry-run it only says what it would do."}
	case storage.CodeReadOnly:
		return []string{"Connect to the listener of the availability group, not to one of its machines."}
	}
	return nil
}

// memoryAdvice adds the way past the network where it may be open.
func (d *diagnosis) memoryAdvice(lines []string) []string {
	if runtime.GOOS == "windows" && isLoopback(d.target.config.Host) {
		lines = append(lines, "Or, where SQL Server runs on this very machine, go without the network: add protocol=lpc to the DSN.")
	}
	return lines
}

// certificateAdvice says how a certificate comes to be believed. That anyone may show any certificate is no way.
func (d *diagnosis) certificateAdvice(reason distrust, instance string) []string {
	host := d.target.config.Host
	switch reason {
	case fallbackCertificate:
		return d.memoryAdvice([]string{
			"1. Get a certificate for the name " + host + " from your own authority, or make one on the machine of SQL Server, in PowerShell as administrator:",
			"   New-SelfSignedCertificate -Type SSLServerAuthentication -DnsName " + host + " -CertStoreLocation Cert:\\LocalMachine\\My -KeyAlgorithm RSA -KeyLength 2048 -KeySpec KeyExchange -Provider \"Microsoft RSA SChannel Cryptographic Provider\" -NotAfter (Get-Date).AddYears(5)",
			"2. Let the account of the service \"SQL Server (" + instance + ")\" read its private key: certlm.msc > Personal > Certificates > All Tasks > Manage Private Keys.",
			"3. Choose it: SQL Server Configuration Manager > Protocols for " + instance + " > Properties > Certificate. Restart the service.",
			"4. Export it without the private key (Base-64), copy the file to this machine and name it: [store] certificate = \"FILE\"",
		})
	case wrongName:
		return []string{"Write a name in the DSN that stands in the certificate, or add hostNameInCertificate=NAME to the DSN."}
	case unknownAuthority:
		return []string{
			"Export the certificate of the server, or of its authority, without private key (Base-64), copy the file to this machine and name it: [store] certificate = \"FILE\"",
			"Make sure on the machine of SQL Server that it is the right one: compare the thumbprint.",
		}
	case notPinned:
		return []string{"Compare the thumbprint on the machine of SQL Server before you replace the file."}
	case expired, notYetValid, otherwiseWrong:
	}
	return nil
}
